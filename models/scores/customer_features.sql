{{ config(materialized='view') }}

select *
from {{ ref('customer_features_by_fit') }}
where fitted_on = as_of_date
