{{ config(materialized='by_row', input='products') }}

{{ check_input('products') }}
