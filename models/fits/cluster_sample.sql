with

fit_dates as (
    select fitted_on from {{ ref('fits_due') }}
    where fit = 'fit_clusters'
),

buyers as (
    {{ cluster_buyers() | indent(4) }}
    where features_rfm.as_of_date in (select fit_dates.fitted_on from fit_dates)
)

-- an order that has nothing to do with customers and that new ones leave as it is
select
    as_of_date as fitted_on,
    *
from buyers
qualify row_number() over (partition by as_of_date order by md5(customer_id), customer_id) <= 10000
