{#- counted where they are used -#}
{%- set accepted = {
    'events': ['sum(events)', 'visits'],
    'order_items': ['sum(lines)', 'category_months'],
} -%}
with

{%- for input in input_contract() %}
{%- set counted, used_by = accepted.get(input, ['count(*)', 'stg_' ~ input]) %}

{{ input }} as (
    select
        '{{ input }}' as input,
        (select count(*) from {{ ref('input_' ~ input) }}) as rows_in,
        (select {{ counted }} from {{ ref(used_by) }}) as rows_accepted
),
{%- endfor %}

inputs as (
    {%- for input in input_contract() %}
    select * from {{ input }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

rejected as (
    select
        input,
        count(*) as rows_rejected
    from {{ ref('rejected_rows') }}
    group by input
)

select
    inputs.input,
    cast(inputs.rows_in as bigint) as rows_in,
    cast(coalesce(inputs.rows_accepted, 0) as bigint) as rows_accepted,
    cast(coalesce(rejected.rows_rejected, 0) as bigint) as rows_rejected,
    inputs.rows_in = coalesce(inputs.rows_accepted, 0) + coalesce(rejected.rows_rejected, 0) as is_reconciled
from inputs
left join rejected on inputs.input = rejected.input
