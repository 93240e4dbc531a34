{{ config(materialized='view') }}

{{ map_input('order_items') }}
