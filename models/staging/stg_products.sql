{{ config(materialized='view') }}

select
    product_id,
    product_name,
    category,
    brand
from {{ ref('checked_products') }}
where reasons is null
