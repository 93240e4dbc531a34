{{ config(post_hook="{{ check_losses('products') }}") }}

with

accepted as (
    {{ accepted_rows('products') }}
)

select
    product_id,
    product_name,
    category,
    brand
from accepted
