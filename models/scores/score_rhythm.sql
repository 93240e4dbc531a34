{{ config(materialized='view') }}
{%- set days_active = 'greatest(60, cast(floor(3 * expected_interpurchase_days) as integer))' %}

with

rfm as (
    select * from {{ ref('features_rfm') }}
    where days_since_last_order is not null
),

purchasing as (
    select * from {{ ref('features_purchasing') }}
),

fits as (
    select * from {{ ref('fits_in_use') }}
),

interpurchase as (
    select * from {{ ref('fit_interpurchase') }}
    where category <> '(all)'
),

-- grouped, so that an engine knows that there is one for each fit and not one for each category
of_all as (
    select
        fitted_on,
        max(interpurchase_days) as interpurchase_days
    from {{ ref('fit_interpurchase') }}
    where category = '(all)'
    group by fitted_on
),

expected as (
    select
        rfm.customer_id,
        rfm.as_of_date,
        fits.fitted_on,
        rfm.last_order_on,
        rfm.days_since_last_order,
        rfm.days_between_last_orders,
        case
            when rfm.interpurchase_count >= 3 then rfm.interpurchase_days_median
            -- where nobody ever came back there is no rhythm to learn from
            else coalesce(of_category.interpurchase_days, of_all.interpurchase_days, 90)
        end as expected_interpurchase_days,
        case
            when rfm.interpurchase_count >= 3 then 'own'
            when of_category.interpurchase_days is not null then 'category'
            when of_all.interpurchase_days is not null then 'population'
            else 'assumed'
        end as expected_interpurchase_basis
    from rfm
    inner join fits on rfm.as_of_date = fits.as_of_date
    left join purchasing
        on rfm.customer_id = purchasing.customer_id
        and rfm.as_of_date = purchasing.as_of_date
    left join interpurchase as of_category
        on fits.cutoffs_on = of_category.fitted_on
        and purchasing.favourite_category = of_category.category
    left join of_all on fits.cutoffs_on = of_all.fitted_on
),

with_line as (
    select
        *,
        cast(
            {{ dbt.dateadd('day', days_active, 'last_order_on') }} as date
        ) as active_until
    from expected
)

select
    customer_id,
    as_of_date,
    fitted_on,
    expected_interpurchase_days,
    expected_interpurchase_basis,
    days_since_last_order / nullif(cast(expected_interpurchase_days as double), 0) as overdue_ratio,
    days_between_last_orders / nullif(cast(expected_interpurchase_days as double), 0) as gap_ratio,
    active_until,
    as_of_date <= active_until as is_active
from with_line
