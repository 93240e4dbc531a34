{{ config(materialized='view') }}

{{ staged_order_items() }}
