{{ config(materialized='view') }}

{{ staged_events() }}
