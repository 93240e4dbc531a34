{{ config(materialized='view') }}

select
    order_item_id,
    order_id,
    product_id,
    coalesce(quantity, {{ default_of('order_items', 'quantity') }}) as quantity,
    amount,
    coalesce(discount_amount, {{ default_of('order_items', 'discount_amount') }}) as discount_amount
from {{ ref('checked_order_items') }}
where reasons is null
