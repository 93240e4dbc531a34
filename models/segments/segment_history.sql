{{
    config(
        materialized='each_date',
        unique_key='as_of_date',
        on_schema_change='append_new_columns',
        full_refresh=var('restate'),
        post_hook="{{ forget_open_dates() }}",
    )
}}
{%- set definitions = published_definitions() -%}
{%- set on_record = is_on_record() -%}
{%- set columns_before = adapter.get_columns_in_relation(this) | map(attribute='name') | list if on_record else [] %}

with

due as (
    select
        as_of_date,
        previous_as_of_date
    from {{ ref('as_of_dates') }}
    where {{ at_dates() }}
),

assigned as (
    select assignments.*
    from {{ ref('segment_assignments') }} as assignments
    inner join due on assignments.as_of_date = due.as_of_date
),

-- where customers would have been the date before, under today's definitions and the fits of then
redefined as (
    select
        assignments.*,
        due.as_of_date as next_as_of_date
    from {{ ref('segment_assignments') }} as assignments
    inner join due on assignments.as_of_date = due.previous_as_of_date
),

{%- set before = 'before' if on_record else 'redefined' %}
{%- if on_record %}

-- where they were published, which is the same for dates that are published together
before as (
    select
        recorded.customer_id,
        {%- for definition in definitions %}
        {%- set is_recorded = definition.name in columns_before %}
        {{ 'recorded.' ~ definition.name if is_recorded else 'cast(null as string)' }} as {{ definition.name }},
        {%- endfor %}
        due.as_of_date as next_as_of_date
    from {{ this }} as recorded
    inner join due on recorded.as_of_date = due.previous_as_of_date
),
{%- endif %}

movers as (
    select
        assigned.customer_id,
        assigned.as_of_date
    from assigned
    left join {{ before }}
        on assigned.customer_id = {{ before }}.customer_id
        and assigned.as_of_date = {{ before }}.next_as_of_date
    where
        false
        {%- for definition in definitions %}
        or coalesce(assigned.{{ definition.name }}, '') <> coalesce({{ before }}.{{ definition.name }}, '')
        {%- endfor %}
),

-- where those who moved would have been the date before under the fits that followed
replayed as (
    select
        features.customer_id,
        {%- for definition in definitions %}
        {{ place_expression(definition) | indent(8) }} as {{ definition.name }},
        {%- endfor %}
        due.as_of_date as next_as_of_date
    from (
        {{ side_by_side(at_dates(before=true), at_dates('fitted_on') ~ ' and as_of_date < fitted_on') | indent(8) }}
    ) as features
    inner join due
        on features.as_of_date = due.previous_as_of_date
        and features.fitted_on = due.as_of_date
    where features.customer_id in (select movers.customer_id from movers)
),

-- moves that an unchanged customer would have made too
ruled as (
    select
        movers.customer_id,
        movers.as_of_date,
        nullif(concat_ws(
            '|',
            {%- for definition in definitions %}
            {%- for condition in rule_moves(definition, before) %}
            case {{ condition }} end,
            {%- endfor %}
            {%- endfor %}
            cast(null as string)
        ), '') as moved_by_rule
    from movers
    inner join assigned
        on movers.customer_id = assigned.customer_id
        and movers.as_of_date = assigned.as_of_date
    left join redefined
        on movers.customer_id = redefined.customer_id
        and movers.as_of_date = redefined.next_as_of_date
    left join replayed
        on movers.customer_id = replayed.customer_id
        and movers.as_of_date = replayed.next_as_of_date
    {%- if on_record %}
    left join before
        on movers.customer_id = before.customer_id
        and movers.as_of_date = before.next_as_of_date
    {%- endif %}
),

history as (
    {{ history_hashes() | indent(4) }}
)

select
    assigned.customer_id,
    assigned.as_of_date,
    {%- for definition in definitions %}
    nullif(assigned.{{ definition.name }}, '') as {{ definition.name }},
    {%- endfor %}
    ruled.moved_by_rule,
    history.history_hash,
    assigned.lifetime_revenue
from assigned
left join ruled
    on assigned.customer_id = ruled.customer_id
    and assigned.as_of_date = ruled.as_of_date
left join history
    on assigned.customer_id = history.customer_id
    and assigned.as_of_date = history.as_of_date
