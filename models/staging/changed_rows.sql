-- a full build compares nothing: it checks all rows
{%- for input in input_contract() %}
-- depends_on: {{ ref('input_' ~ input) }}
{%- endfor %}
with

{% for input in refreshed_inputs() -%}
{%- set sides = {'delivered': ref('input_' ~ input), 'stored': built_model('checked_' ~ input)} -%}
{%- for side, relation in sides.items() -%}
{{ side }}_{{ input }} as (
    select
        {{ row_bucket('row_hash') }} as bucket,
        count(*) as row_count,
        sum(row_hash) as hash_sum
    from {{ relation }}
    group by {{ row_bucket('row_hash') }}
),

{% endfor -%}
different_{{ input }} as (
    select coalesce(delivered_{{ input }}.bucket, stored_{{ input }}.bucket) as bucket
    from delivered_{{ input }}
    full outer join stored_{{ input }} on delivered_{{ input }}.bucket = stored_{{ input }}.bucket
    where
        delivered_{{ input }}.row_count is distinct from stored_{{ input }}.row_count
        or delivered_{{ input }}.hash_sum is distinct from stored_{{ input }}.hash_sum
),
{% for side, relation in sides.items() %}
{{ side }}_{{ input }}_rows as (
    select
        typed.row_hash,
        {{ row_bucket('typed.row_hash') }} as bucket,
        {{- id_columns(input, 'typed') }}
    from {{ relation }} as typed
    inner join different_{{ input }} on {{ row_bucket('typed.row_hash') }} = different_{{ input }}.bucket
),
{% endfor %}
{%- endfor %}
changed as (
    select
        cast(null as string) as input,
        cast(null as string) as change,
        cast(null as bigint) as bucket,
        cast(null as string) as customer_id,
        cast(null as string) as order_id,
        cast(null as string) as product_id,
        cast(null as date) as date_day
    where false
    {%- for input in refreshed_inputs() %}
    {%- for change, side, other in [('new', 'delivered', 'stored'), ('gone', 'stored', 'delivered')] %}
    union all
    select
        '{{ input }}' as input,
        '{{ change }}' as change,
        bucket,
        customer_id,
        order_id,
        product_id,
        date_day
    from {{ side }}_{{ input }}_rows
    where row_hash not in (select row_hash from {{ other }}_{{ input }}_rows)
    {%- endfor %}
    -- one of several equal rows came or went
    union all
    select
        '{{ input }}' as input,
        'count' as change,
        bucket,
        cast(null as string) as customer_id,
        cast(null as string) as order_id,
        cast(null as string) as product_id,
        cast(null as date) as date_day
    from different_{{ input }}
    -- a rejected row may be one that was only too early, or that lacked what is there now
    union all
    select
        '{{ input }}' as input,
        'rejected' as change,
        {{ row_bucket('rejected.row_hash') }} as bucket,
        {{- id_columns(input, 'rejected') }}
    from {{ built_model('checked_' ~ input) }} as rejected
    where rejected.reasons is not null
    {%- endfor %}
)

select * from changed
