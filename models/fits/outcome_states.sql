with

fit_dates as (
    select fitted_on from {{ ref('fits_due') }}
    where fit = 'fit_outcome_rates'
),

horizons as (
    {%- for days in outcome_horizons() %}
    select {{ days }} as horizon_days
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- what came in the days before the fit, of those who were buyers when these days began
windows as (
    select
        fit_dates.fitted_on,
        horizons.horizon_days,
        cast({{ dbt.dateadd('day', '-horizons.horizon_days', 'fit_dates.fitted_on') }} as date) as measured_from
    from fit_dates
    cross join horizons
),

known as (
    select
        customer_id,
        min(date_day) as first_purchase_on,
        {{ hash_position('customer_id') }} as position
    from {{ ref('order_days') }}
    where orders_placed > 0
    group by customer_id
),

sizes as (
    select
        windows.fitted_on,
        windows.horizon_days,
        windows.measured_from,
        count(*) as buyers
    from windows
    inner join known on windows.measured_from >= known.first_purchase_on
    group by windows.fitted_on, windows.horizon_days, windows.measured_from
),

-- means of forty thousand serve as well as those of all
shares as (
    select max(40000.0 / buyers) as largest_share from sizes
),

candidates as (
    select known.*
    from known
    inner join shares on known.position < shares.largest_share
),

days as (
    select
        candidates.first_purchase_on,
        candidates.position,
        order_days.*
    from {{ ref('order_days') }} as order_days
    inner join candidates on order_days.customer_id = candidates.customer_id
),

states as (
    select
        sizes.fitted_on,
        sizes.horizon_days,
        sizes.measured_from,
        days.customer_id,
        max(case when days.date_day <= sizes.measured_from and days.orders_kept > 0 then days.date_day end)
            as last_kept_on,
        sum(case when days.date_day <= sizes.measured_from then days.orders end) as lifetime_orders,
        sum(case when days.date_day > sizes.measured_from then days.orders else 0 end) as orders,
        sum(case when days.date_day > sizes.measured_from then days.orders_placed else 0 end) as orders_placed,
        sum(case when days.date_day > sizes.measured_from then days.revenue else 0 end) as revenue
    from days
    inner join sizes
        on days.date_day <= sizes.fitted_on
        and days.first_purchase_on <= sizes.measured_from
        and days.position * sizes.buyers < 40000
    group by sizes.fitted_on, sizes.horizon_days, sizes.measured_from, days.customer_id
),

beginnings as (
    select distinct measured_from from sizes
),

-- as in features_rfm: an order that is sent back later did count until then, and one that was sent back does not
not_yet_returned as (
    select
        orders.customer_id,
        beginnings.measured_from,
        max(orders.ordered_on) as last_order_on
    from {{ ref('stg_orders') }} as orders
    inner join beginnings
        on orders.ordered_on <= beginnings.measured_from
        and orders.returned_on > beginnings.measured_from
    where
        orders.is_counted
        and orders.is_fully_returned
    group by orders.customer_id, beginnings.measured_from
)

select
    states.fitted_on,
    states.horizon_days,
    states.measured_from,
    states.customer_id,
    greatest(
        coalesce(states.last_kept_on, not_yet_returned.last_order_on),
        coalesce(not_yet_returned.last_order_on, states.last_kept_on)
    ) as last_order_on,
    states.lifetime_orders,
    states.orders,
    states.orders_placed,
    states.revenue
from states
left join not_yet_returned
    on states.customer_id = not_yet_returned.customer_id
    and states.measured_from = not_yet_returned.measured_from
