with

fit_dates as (
    select fitted_on from {{ ref('fits_due') }}
    where fit = 'fit_lifetime'
),

-- who came back: only they show how spend varies from purchase to purchase, and theirs is the spend to come
repeaters as (
    select
        fit_dates.fitted_on,
        rfm.interpurchase_count + 1 as purchases,
        rfm.lifetime_revenue,
        cast(rfm.lifetime_revenue as double) / (rfm.interpurchase_count + 1) as mean_spend
    from {{ ref('features_rfm') }} as rfm
    inner join fit_dates on rfm.as_of_date = fit_dates.fitted_on
    where
        rfm.interpurchase_count > 0
        and rfm.lifetime_revenue > 0
)

-- means within 2 % of each other are one state, which has their mean
select
    fitted_on,
    purchases,
    cast(sum(lifetime_revenue) as double) / (purchases * count(*)) as mean_spend,
    count(*) as customers
from repeaters
group by fitted_on, purchases, floor(50 * ln(mean_spend))
