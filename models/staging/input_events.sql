{{ config(materialized='view') }}

{{ map_input('events') }}
