with

customer_dates as (
    select * from {{ ref('customer_dates') }}
),

as_of_dates as (
    select * from {{ ref('as_of_dates') }}
),

order_days as (
    select
        order_days.*,
        calendar.known_on,
        calendar.leaves_12m_on
    from {{ ref('order_days') }} as order_days
    inner join {{ ref('calendar') }} as calendar on order_days.date_day = calendar.date_day
),

-- what becomes known of a customer between one as-of date and the next
states as (
    select
        customer_id,
        known_on as as_of_date,
        sum(orders_kept) as orders_kept,
        sum(revenue) as revenue,
        sum(margin) as margin,
        min(case when orders_kept > 0 then date_day end) as first_order_on,
        max(case when orders_kept > 0 then date_day end) as last_order_on,
        min(case when orders_placed > 0 then date_day end) as first_purchase_on,
        count(gap_days) as gaps,
        sum(gap_days) as gap_days,
        sum(gap_days * gap_days) as squared_gap_days,
        max_by(median_gap_days, date_day) filter (where median_gap_days is not null) as median_gap_days,
        max_by(gap_days, date_day) filter (where gap_days is not null) as last_gap_days
    from order_days
    where known_on is not null
    group by customer_id, known_on
),

-- what leaves the last twelve months in that time
leaving as (
    select
        customer_id,
        leaves_12m_on as as_of_date,
        sum(orders_kept) as orders_kept,
        sum(revenue) as revenue,
        sum(margin) as margin
    from order_days
    where leaves_12m_on is not null
    group by customer_id, leaves_12m_on
),

-- an order that is returned later did count until then
not_yet_returned as (
    select
        orders.customer_id,
        as_of_dates.as_of_date,
        count(*) as orders,
        sum(
            case
                when orders.ordered_on > cast({{ dbt.dateadd('month', -12, 'as_of_dates.as_of_date') }} as date) then 1
                else 0
            end
        ) as orders_12m,
        min(orders.ordered_on) as first_order_on,
        max(orders.ordered_on) as last_order_on
    from {{ ref('stg_orders') }} as orders
    inner join as_of_dates
        on orders.ordered_on <= as_of_dates.as_of_date
        and orders.returned_on > as_of_dates.as_of_date
    where
        orders.is_counted
        and orders.is_fully_returned
    group by orders.customer_id, as_of_dates.as_of_date
),

accumulated as (
    select
        customer_dates.customer_id,
        customer_dates.as_of_date,
        coalesce(sum(states.orders_kept) over known, 0) + coalesce(not_yet_returned.orders, 0) as lifetime_orders,
        coalesce(sum(states.revenue) over known, 0) as lifetime_revenue,
        sum(states.margin) over known as lifetime_margin,
        coalesce(sum(states.orders_kept) over known, 0) - coalesce(sum(leaving.orders_kept) over known, 0)
        + coalesce(not_yet_returned.orders_12m, 0) as orders_12m,
        coalesce(sum(states.revenue) over known, 0) - coalesce(sum(leaving.revenue) over known, 0) as revenue_12m,
        sum(states.margin) over known - coalesce(sum(leaving.margin) over known, 0) as margin_12m,
        least(min(states.first_order_on) over known, not_yet_returned.first_order_on) as first_order_on,
        greatest(max(states.last_order_on) over known, not_yet_returned.last_order_on) as last_order_on,
        min(states.first_purchase_on) over known as first_purchase_on,
        sum(states.gaps) over known as gaps,
        sum(states.gap_days) over known as gap_days,
        sum(states.squared_gap_days) over known as squared_gap_days,
        {{ last_known('states.median_gap_days', 'known') }} as interpurchase_days_median,
        {{ last_known('states.last_gap_days', 'known') }} as last_gap_days
    from customer_dates
    left join states
        on customer_dates.customer_id = states.customer_id
        and customer_dates.as_of_date = states.as_of_date
    left join leaving
        on customer_dates.customer_id = leaving.customer_id
        and customer_dates.as_of_date = leaving.as_of_date
    left join not_yet_returned
        on customer_dates.customer_id = not_yet_returned.customer_id
        and customer_dates.as_of_date = not_yet_returned.as_of_date
    window known as (
        partition by customer_dates.customer_id
        order by customer_dates.as_of_date
        rows between unbounded preceding and current row
    )
)

select
    customer_id,
    as_of_date,
    first_order_on,
    last_order_on,
    cast({{ dbt.datediff('first_order_on', 'as_of_date', 'day') }} as integer) as days_since_first_order,
    cast({{ dbt.datediff('last_order_on', 'as_of_date', 'day') }} as integer) as days_since_last_order,
    cast(lifetime_orders as integer) as lifetime_orders,
    cast(lifetime_revenue as decimal(18, 4)) as lifetime_revenue,
    cast(lifetime_margin as decimal(18, 4)) as lifetime_margin,
    cast(lifetime_revenue as double) / nullif(lifetime_orders, 0) as average_order_value,
    cast(orders_12m as integer) as orders_12m,
    cast(revenue_12m as decimal(18, 4)) as revenue_12m,
    cast(margin_12m as decimal(18, 4)) as margin_12m,
    gap_days / nullif(cast(gaps as double), 0) as interpurchase_days_mean,
    interpurchase_days_median,
    sqrt((squared_gap_days - gap_days * gap_days / nullif(cast(gaps as double), 0)) / nullif(gaps - 1, 0))
    / nullif(gap_days / nullif(cast(gaps as double), 0), 0) as interpurchase_variation,
    cast(gaps as integer) as interpurchase_count,
    cast(last_gap_days as integer) as days_between_last_orders,
    cast({{ dbt.datediff('first_purchase_on', 'as_of_date', 'day') }} as integer) as days_since_first_purchase,
    -- gaps add up to the time between the first purchase and the last
    cast(
        case when first_purchase_on is not null then coalesce(gap_days, 0) end as integer
    ) as days_from_first_to_last_purchase
from accumulated
