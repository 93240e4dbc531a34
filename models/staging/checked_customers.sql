{{ config(materialized='by_row', input='customers') }}

{{ check_input('customers') }}
