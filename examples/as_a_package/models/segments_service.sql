{{ config(materialized='view') }}

{{ customer_segmentation.segmentation() }}
