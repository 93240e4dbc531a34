{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='as_of_date',
        on_schema_change='append_new_columns',
        post_hook="{{ forget_open_dates() }}",
    )
}}
{%- set definitions = published_definitions() -%}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

with

due as (
    {{ due_dates() | indent(4) }}
),

-- all definitions in one pass: where customers are, and where they would have been the date before
placed as (
    select
        customer_id,
        {%- for definition in definitions %}
        {{ segment_expression(definition) | indent(4) }} as {{ definition.name }},
        {%- endfor %}
        as_of_date
    from {{ ref('customer_features') }}
    where
        as_of_date in (select due.as_of_date from due)
        or as_of_date in (select due.previous_as_of_date from due)
),

-- and where they would have been under the fit that followed
replayed as (
    select
        customer_id,
        {%- for definition in definitions %}
        {{ segment_expression(definition) | indent(4) }} as {{ definition.name }},
        {%- endfor %}
        fitted_on as next_as_of_date
    from {{ ref('customer_features_by_fit') }}
    where
        fitted_on > as_of_date
        and fitted_on in (select due.as_of_date from due)
),

published as (
    select
        customer_id,
        {%- for definition in definitions %}
        {{ definition.name }},
        {%- endfor %}
        as_of_date
    from placed
    where as_of_date in (select due.as_of_date from due)
    {%- if is_incremental() %}
    {%- set columns_before = adapter.get_columns_in_relation(this) | map(attribute='name') | list %}
    union all
    select
        customer_id,
        {%- for definition in definitions %}
        {{ definition.name if definition.name in columns_before else 'cast(null as string)' }} as {{ definition.name }},
        {%- endfor %}
        as_of_date
    from {{ this }}
    where as_of_date not in (select due.as_of_date from due)
    {%- endif %}
)

select
    published.customer_id,
    published.as_of_date,
    {%- for definition in definitions %}
    published.{{ definition.name }},
    {%- endfor %}
    -- moves that an unchanged customer would have made too
    nullif(concat_ws(
        '|',
        {%- for definition in definitions %}
        {%- for condition in rule_moves(definition) %}
        case {{ condition }} end,
        {%- endfor %}
        {%- endfor %}
        cast(null as string)
    ), '') as moved_by_rule
from published
inner join due on published.as_of_date = due.as_of_date
left join published as before
    on published.customer_id = before.customer_id
    and due.previous_as_of_date = before.as_of_date
left join placed as redefined
    on published.customer_id = redefined.customer_id
    and due.previous_as_of_date = redefined.as_of_date
left join replayed
    on published.customer_id = replayed.customer_id
    and due.as_of_date = replayed.next_as_of_date
