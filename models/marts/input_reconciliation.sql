with

{%- for input in input_contract() %}

{{ input }} as (
    {{ input_counts(input, ref(counted_in(input).model), ref('checked_' ~ input)) | indent }}
),
{%- endfor %}

inputs as (
    {%- for input in input_contract() %}
    select
        '{{ input }}' as input,
        (select count(*) from {{ ref('input_' ~ input) }}) as rows_in,
        {{ input }}.*
    from {{ input }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    input,
    cast(rows_in as bigint) as rows_in,
    cast(rows_accepted as bigint) as rows_accepted,
    cast(rows_rejected as bigint) as rows_rejected,
    rows_in = rows_accepted + rows_rejected as is_reconciled,
    rows_rejected / cast(nullif(rows_in, 0) as double) as share_rejected,
    amount_rejected,
    amount_rejected / cast(nullif(amount_rejected + coalesce(amount_accepted, 0), 0) as double)
        as share_of_amount_rejected,
    coalesce(rows_lost > {{ var('warn_if_rejected') }} * (rows_accepted + rows_lost), false) as loses_much
from inputs
