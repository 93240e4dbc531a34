{{ config(materialized='each_date', unique_key='fitted_on') }}

with

rhythms as (
    select
        rfm.as_of_date,
        rfm.customer_id,
        rfm.interpurchase_days_median,
        purchasing.favourite_category
    from {{ ref('features_rfm') }} as rfm
    inner join {{ ref('features_purchasing') }} as purchasing
        on rfm.customer_id = purchasing.customer_id
        and rfm.as_of_date = purchasing.as_of_date
    where
        rfm.interpurchase_count > 0
        and {{ at_dates('rfm.as_of_date') }}
),

groups as (
    select
        as_of_date,
        interpurchase_days_median,
        favourite_category as category
    from rhythms
    where favourite_category is not null
    union all
    select
        as_of_date,
        interpurchase_days_median,
        '(all)' as category
    from rhythms
)

select
    as_of_date as fitted_on,
    category,
    median(interpurchase_days_median) as interpurchase_days,
    count(*) as customers
from groups
group by as_of_date, category
having count(*) >= 30 or category = '(all)'
