with

{%- for input in input_contract() %}

{{ input }} as (
    select
        '{{ input }}' as input,
        (select count(*) from {{ ref('input_' ~ input) }}) as rows_in,
        (
            select accepted_rows from {{ ref('input_coverage') }}
            where subject = 'input' and name = '{{ input }}'
        ) as rows_accepted
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
    cast(inputs.rows_accepted as bigint) as rows_accepted,
    cast(coalesce(rejected.rows_rejected, 0) as bigint) as rows_rejected,
    inputs.rows_in = inputs.rows_accepted + coalesce(rejected.rows_rejected, 0) as is_reconciled
from inputs
left join rejected on inputs.input = rejected.input
