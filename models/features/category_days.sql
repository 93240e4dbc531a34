{{ config(materialized='by_customer') }}

with

orders as (
    select
        order_id,
        customer_id,
        ordered_on
    from {{ due('stg_orders') }}
    where is_counted
),

products as (
    select
        product_id,
        category
    from {{ ref('stg_products') }}
    where category is not null
),

days as (
    select
        orders.customer_id,
        products.category,
        orders.ordered_on as date_day,
        sum(items.amount) as amount,
        sum(items.quantity) as quantity
    from {{ ref('stg_order_items') }} as items
    inner join orders on items.order_id = orders.order_id
    inner join products on items.product_id = products.product_id
    group by orders.customer_id, products.category, orders.ordered_on
)

select
    customer_id,
    category,
    date_day,
    cast(amount as decimal(18, 4)) as amount,
    cast(quantity as decimal(18, 4)) as quantity,
    cast(sum(amount) over so_far as decimal(18, 4)) as amount_so_far,
    count(*) over so_far = 1 as is_first
from days
window so_far as (
    partition by customer_id, category
    order by date_day
    rows between unbounded preceding and current row
)
