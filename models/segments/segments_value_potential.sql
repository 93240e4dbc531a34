{{ config(materialized='view') }}

{{ segmentation() }}
