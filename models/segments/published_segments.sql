{{ config(materialized='record', is_frozen=true, post_hook="{{ forget_open_dates() }}") }}
{%- set definitions = published_definitions() -%}
{%- set on_record = is_on_record() -%}
{%- set columns_before = adapter.get_columns_in_relation(this) | map(attribute='name') | list if on_record else [] %}

with

due as (
    select
        as_of_date,
        previous_as_of_date
    from {{ due('as_of_dates') }}
),

placed as (
    select placed.*
    from {{ ref('placed_segments') }} as placed
    inner join due on placed.as_of_date = due.as_of_date
    where placed.fitted_on = placed.as_of_date
),

-- where customers would have been the date before, under the fit of then
redefined as (
    select
        placed.*,
        due.as_of_date as next_as_of_date
    from {{ ref('placed_segments') }} as placed
    inner join due on placed.as_of_date = due.previous_as_of_date
    where placed.fitted_on = placed.as_of_date
),

-- and under the fit that followed
replayed as (
    select
        placed.*,
        due.as_of_date as next_as_of_date
    from {{ ref('placed_segments') }} as placed
    inner join due
        on placed.as_of_date = due.previous_as_of_date
        and placed.fitted_on = due.as_of_date
)
{%- if on_record %},

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
)
{%- endif %}

select
    placed.customer_id,
    placed.as_of_date,
    {%- for definition in definitions %}
    nullif(placed.{{ definition.name }}, '') as {{ definition.name }},
    {%- endfor %}
    -- moves that an unchanged customer would have made too
    nullif(concat_ws(
        '|',
        {%- for definition in definitions %}
        {%- for condition in rule_moves(definition, 'before' if on_record else 'redefined') %}
        case {{ condition }} end,
        {%- endfor %}
        {%- endfor %}
        cast(null as string)
    ), '') as moved_by_rule
from placed
left join redefined
    on placed.customer_id = redefined.customer_id
    and placed.as_of_date = redefined.next_as_of_date
left join replayed
    on placed.customer_id = replayed.customer_id
    and placed.as_of_date = replayed.next_as_of_date
{%- if on_record %}
left join before
    on placed.customer_id = before.customer_id
    and placed.as_of_date = before.next_as_of_date
{%- endif %}
