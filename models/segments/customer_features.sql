{{ config(materialized='view') }}

-- the latest date is stored; earlier ones are worked out from the features of then
select *
from {{ ref('latest_features') }}
union all
select *
from {{ ref('customer_features_by_fit') }}
where
    fitted_on = as_of_date
    and as_of_date < {{ latest_date() }}
