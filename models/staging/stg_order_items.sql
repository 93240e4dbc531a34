{{ config(materialized='view') }}

with

accepted as (
    {{ accepted_rows('order_items', joined=['order_id']) }}
)

-- with what is known from the order, because whoever asks for lines asks for whom and when
select
    accepted.order_item_id,
    accepted.order_id,
    accepted.product_id,
    orders.customer_id,
    products.category,
    coalesce(accepted.quantity, {{ default_of('order_items', 'quantity') }}) as quantity,
    accepted.amount,
    coalesce(accepted.discount_amount, {{ default_of('order_items', 'discount_amount') }}) as discount_amount,
    orders.is_counted,
    orders.ordered_on
from accepted
inner join {{ ref('stg_orders') }} as orders on accepted.order_id = orders.order_id
left join {{ ref('stg_products') }} as products on accepted.product_id = products.product_id
