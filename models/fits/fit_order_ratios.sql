{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='fitted_on',
        post_hook="{{ forget_later_dates() }}",
    )
}}

with

fit_dates as (
    select fitted_on from {{ ref('fits_due') }}
    where fit = 'fit_order_ratios'
),

days as (
    select
        date_day,
        sum(case when orders_placed > 0 then 1 else 0 end) as purchases,
        sum(orders) as orders,
        sum(orders_placed) as orders_placed,
        sum(orders_placed * orders_placed) as squared_orders_placed,
        sum(margin) as margin,
        sum(case when margin is not null then revenue end) as revenue_of_known_cost
    from {{ ref('order_days') }}
    group by date_day
),

totals as (
    select
        fit_dates.fitted_on,
        sum(days.purchases) as purchases,
        cast(sum(days.orders) as double) as orders,
        cast(sum(days.orders_placed) as double) as orders_placed,
        cast(sum(days.squared_orders_placed) as double) as squared_orders_placed,
        cast(sum(days.margin) as double) as margin,
        cast(sum(days.revenue_of_known_cost) as double) as revenue_of_known_cost
    from fit_dates
    inner join days on fit_dates.fitted_on >= days.date_day
    group by fit_dates.fitted_on
)

select
    fitted_on,
    cast(purchases as bigint) as purchases,
    orders / nullif(purchases, 0) as orders_per_purchase,
    squared_orders_placed / nullif(purchases, 0)
    - (orders_placed / nullif(purchases, 0)) * (orders_placed / nullif(purchases, 0)) as orders_per_purchase_variance,
    margin / nullif(revenue_of_known_cost, 0) as margin_share,
    '{{ settings_hash('fit_order_ratios') }}' as made_with
from totals
