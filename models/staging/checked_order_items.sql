{{ config(materialized='by_row', input='order_items') }}

{{ check_input('order_items') }}
