{{ config(materialized='view') }}

{{ map_input('returns') }}
