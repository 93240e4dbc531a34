{%- for input in input_contract() %}
-- depends_on: {{ ref('checked_' ~ input) }}
{%- endfor %}
with

rows_before as (
    select * from {{ ref('rows_before') }}
),

rows_after as (
    {%- for input in refreshed_inputs() %}
    select
        '{{ input }}' as input,
        checked.row_hash,
        {{- id_columns(input, 'checked') | indent(4) }}
    from {{ ref('checked_' ~ input) }} as checked
    where
        {{ of_due_rows(input) }}
        and checked.reasons is null
    union all
    {%- endfor %}
    select * from rows_before
    where false
),

-- rows that counted before and do not now, or the other way round, for whatever reason
gone as (
    select * from rows_before
    except all
    select * from rows_after
),

new as (
    select * from rows_after
    except all
    select * from rows_before
),

differences as (
    select * from gone
    union all
    select * from new
),

orders as (
    select * from {{ ref('stg_orders') }}
),

-- a product that is in another category now concerns all who bought it
changed_orders as (
    select order_id from differences
    where input = 'order_items'
    union
    select items.order_id
    from {{ ref('stg_order_items') }} as items
    inner join differences on items.product_id = differences.product_id
    where differences.input = 'products'
),

customers as (
    select
        customer_id,
        date_day
    from differences
    where customer_id is not null
    union all
    select
        orders.customer_id,
        orders.ordered_on as date_day
    from orders
    inner join changed_orders on orders.order_id = changed_orders.order_id
)

-- without a day what changed holds for all dates
select
    customer_id,
    min(coalesce(date_day, cast('1900-01-01' as date))) as changed_from
from customers
group by customer_id
