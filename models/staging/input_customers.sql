{{ config(materialized='view') }}

{{ map_input('customers') }}
