{{ config(materialized='view') }}

{{ map_input('products') }}
