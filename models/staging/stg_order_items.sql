{{ config(materialized='view') }}

select
    order_item_id,
    order_id,
    product_id,
    quantity,
    amount,
    discount_amount
from {{ ref('checked_order_items') }}
where reasons is null
