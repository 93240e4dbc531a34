with

changed_rows as (
    select * from {{ ref('changed_rows') }}
),

orders as (
    select * from {{ ref('stg_orders') }}
),

items as (
    select * from {{ ref('stg_order_items') }}
),

-- rejected ones too: they may have been accepted until the product that they name was gone
events as (
    select * from {{ ref('checked_events') }}
),

-- a product that is in another category now concerns all who bought it
changed_orders as (
    select order_id from changed_rows
    where input = 'order_items'
    union
    select items.order_id
    from items
    inner join changed_rows on items.product_id = changed_rows.product_id
    where changed_rows.input = 'products'
),

customers as (
    select customer_id from changed_rows
    union
    select orders.customer_id
    from orders
    inner join changed_orders on orders.order_id = changed_orders.order_id
    union
    select events.customer_id
    from events
    inner join changed_rows on events.product_id = changed_rows.product_id
    where changed_rows.input = 'products'
)

select customer_id from customers
where customer_id is not null
