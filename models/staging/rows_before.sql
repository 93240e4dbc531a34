-- a full build has no before
-- depends_on: {{ ref('due_buckets') }}
{% for input in refreshed_inputs() -%}
select
    '{{ input }}' as input,
    stored.row_hash,
    {{- id_columns(input, 'stored') }}
from {{ built_model('checked_' ~ input) }} as stored
where
    {{ of_due_rows(input) }}
    and stored.reasons is null
union all
{% endfor -%}
select
    cast(null as string) as input,
    cast(null as bigint) as row_hash,
    cast(null as string) as customer_id,
    cast(null as string) as order_id,
    cast(null as string) as product_id,
    cast(null as date) as date_day
where false
