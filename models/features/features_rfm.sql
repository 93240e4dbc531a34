{{ config(materialized='by_date') }}

with

customer_dates as (
    select * from {{ due('customer_dates') }}
),

order_days as (
    select * from {{ ref('order_days') }}
),

so_far as (
    select
        customer_dates.customer_id,
        customer_dates.as_of_date,
        coalesce(sum(days.orders_kept), 0) as orders,
        coalesce(sum(days.revenue), 0) as revenue,
        sum(days.margin) as margin,
        coalesce(sum(case when days.date_day > customer_dates.year_before then days.orders_kept end), 0) as orders_12m,
        coalesce(sum(case when days.date_day > customer_dates.year_before then days.revenue end), 0) as revenue_12m,
        case
            when sum(days.margin) is not null
                then coalesce(sum(case when days.date_day > customer_dates.year_before then days.margin end), 0)
        end as margin_12m,
        min(case when days.orders_kept > 0 then days.date_day end) as first_order_on,
        max(case when days.orders_kept > 0 then days.date_day end) as last_order_on,
        min(case when days.orders_placed > 0 then days.date_day end) as first_purchase_on,
        cast(count(days.gap_days) as double) as gaps,
        sum(days.gap_days) as gap_days,
        sum(days.gap_days * days.gap_days) as squared_gap_days,
        max_by(days.median_gap_days, days.date_day) filter (where days.median_gap_days is not null) as median_gap_days,
        max_by(days.gap_days, days.date_day) filter (where days.gap_days is not null) as last_gap_days,
        cast(sum(days.discount_amount) as double) as discount_amount,
        cast(sum(days.list_amount) as double) as list_amount,
        cast(sum(days.returned_amount) as double) as returned_amount,
        cast(sum(days.returnable_amount) as double) as returnable_amount
    from customer_dates
    left join order_days as days
        on customer_dates.customer_id = days.customer_id
        and customer_dates.as_of_date >= days.date_day
    group by customer_dates.customer_id, customer_dates.as_of_date
),

-- an order that is returned later did count until then
not_yet_returned as (
    select
        customer_dates.customer_id,
        customer_dates.as_of_date,
        count(*) as orders,
        count(case when orders.ordered_on > customer_dates.year_before then 1 end) as orders_12m,
        min(orders.ordered_on) as first_order_on,
        max(orders.ordered_on) as last_order_on
    from {{ ref('stg_orders') }} as orders
    inner join customer_dates
        on orders.customer_id = customer_dates.customer_id
        and orders.ordered_on <= customer_dates.as_of_date
        and orders.returned_on > customer_dates.as_of_date
    where
        orders.is_counted
        and orders.is_fully_returned
    group by customer_dates.customer_id, customer_dates.as_of_date
),

as_known as (
    select
        so_far.customer_id,
        so_far.as_of_date,
        so_far.orders + coalesce(not_yet_returned.orders, 0) as lifetime_orders,
        so_far.orders_12m + coalesce(not_yet_returned.orders_12m, 0) as orders_in_12m,
        least(so_far.first_order_on, not_yet_returned.first_order_on) as first_kept_on,
        greatest(so_far.last_order_on, not_yet_returned.last_order_on) as last_kept_on,
        so_far.gap_days / nullif(so_far.gaps, 0) as mean_gap_days,
        so_far.*
    from so_far
    left join not_yet_returned
        on so_far.customer_id = not_yet_returned.customer_id
        and so_far.as_of_date = not_yet_returned.as_of_date
)

select
    customer_id,
    as_of_date,
    first_kept_on as first_order_on,
    last_kept_on as last_order_on,
    cast({{ dbt.datediff('first_kept_on', 'as_of_date', 'day') }} as integer) as days_since_first_order,
    cast({{ dbt.datediff('last_kept_on', 'as_of_date', 'day') }} as integer) as days_since_last_order,
    cast(lifetime_orders as integer) as lifetime_orders,
    cast(revenue as decimal(18, 4)) as lifetime_revenue,
    cast(margin as decimal(18, 4)) as lifetime_margin,
    cast(revenue as double) / nullif(lifetime_orders, 0) as average_order_value,
    cast(orders_in_12m as integer) as orders_12m,
    cast(revenue_12m as decimal(18, 4)) as revenue_12m,
    cast(margin_12m as decimal(18, 4)) as margin_12m,
    mean_gap_days as interpurchase_days_mean,
    median_gap_days as interpurchase_days_median,
    sqrt((squared_gap_days - gap_days * gap_days / nullif(gaps, 0)) / nullif(gaps - 1, 0))
    / nullif(mean_gap_days, 0) as interpurchase_variation,
    cast(case when first_purchase_on is not null then gaps end as integer) as interpurchase_count,
    cast(last_gap_days as integer) as days_between_last_orders,
    cast({{ dbt.datediff('first_purchase_on', 'as_of_date', 'day') }} as integer) as days_since_first_purchase,
    -- gaps add up to the time between the first purchase and the last
    cast(
        case when first_purchase_on is not null then coalesce(gap_days, 0) end as integer
    ) as days_from_first_to_last_purchase,
    discount_amount / nullif(list_amount, 0) as discount_share,
    case when returnable_amount > 0 then coalesce(returned_amount, 0) / returnable_amount end as return_share
from as_known
