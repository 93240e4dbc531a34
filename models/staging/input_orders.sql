{{ config(materialized='view') }}

{{ map_input('orders') }}
