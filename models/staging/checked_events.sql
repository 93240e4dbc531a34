{{ config(materialized='by_row', input='events') }}

{{ check_input('events') }}
