with

fit_dates as (
    select * from {{ ref('fit_dates') }}
),

buyers as (
    select
        features.customer_id,
        features.as_of_date
    from {{ ref('features_rfm') }} as features
    inner join fit_dates on features.as_of_date = fit_dates.fitted_on
    where features.lifetime_orders > 0
),

-- an order that has nothing to do with customers and that new ones leave as it is; the last date knows everybody
places as (
    select
        customer_id,
        row_number() over (order by md5(customer_id), customer_id) as place
    from {{ ref('features_rfm') }}
    where as_of_date = (select max(fit_dates.fitted_on) from fit_dates)
),

drawn as (
    select buyers.*
    from buyers
    inner join places on buyers.customer_id = places.customer_id
    qualify row_number() over (partition by buyers.as_of_date order by places.place) <= 10000
)

select
    drawn.as_of_date as fitted_on,
    features.*
from drawn
inner join {{ ref('cluster_features') }} as features
    on drawn.customer_id = features.customer_id
    and drawn.as_of_date = features.as_of_date
