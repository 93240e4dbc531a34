-- a full build has no before
with

due_buckets as (
    select * from {{ ref('due_buckets') }}
)

{% for input in refreshed_inputs() -%}
select
    '{{ input }}' as input,
    stored.row_hash,
    {{- id_columns(input, 'stored') }}
from {{ built_model('checked_' ~ input) }} as stored
inner join due_buckets on {{ row_bucket('stored.row_hash') }} = due_buckets.bucket
where
    due_buckets.input = '{{ input }}'
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
