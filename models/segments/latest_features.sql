select *
from {{ ref('customer_features_by_fit') }}
where
    as_of_date = {{ latest_date() }}
    and fitted_on = as_of_date
