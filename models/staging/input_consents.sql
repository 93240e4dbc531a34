{{ config(materialized='view') }}

{{ map_input('consents') }}
