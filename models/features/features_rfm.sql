{{ config(materialized='each_date', unique_key='as_of_date') }}

with

customer_dates as (
    select * from {{ ref('customer_dates') }}
    where {{ at_dates() }}
),

dates as (
    select * from {{ ref('as_of_dates') }}
    where {{ at_dates() }}
),

so_far as (
    select
        days.customer_id,
        dates.as_of_date,
        sum(days.orders_kept) as orders,
        sum(days.revenue) as revenue,
        sum(days.margin) as margin,
        sum(case when days.date_day > dates.year_before then days.orders_kept end) as orders_12m,
        sum(case when days.date_day > dates.year_before then days.revenue end) as revenue_12m,
        sum(case when days.date_day > dates.year_before then days.margin end) as margin_12m,
        min(case when days.orders_kept > 0 then days.date_day end) as first_order_on,
        max(case when days.orders_kept > 0 then days.date_day end) as last_order_on,
        min(case when days.orders_placed > 0 then days.date_day end) as first_purchase_on,
        cast(count(days.gap_days) as double) as gaps,
        sum(days.gap_days) as gap_days,
        sum(days.gap_days * days.gap_days) as squared_gap_days,
        median(days.gap_days) as median_gap_days,
        max_by(days.gap_days, days.date_day) filter (where days.gap_days is not null) as last_gap_days,
        cast(sum(days.discount_amount) as double) as discount_amount,
        cast(sum(days.list_amount) as double) as list_amount,
        cast(sum(days.returned_amount) as double) as returned_amount,
        cast(sum(days.returnable_amount) as double) as returnable_amount
    from {{ ref('order_days') }} as days
    inner join dates on days.date_day <= dates.as_of_date
    group by days.customer_id, dates.as_of_date
),

-- an order that is returned later did count until then
not_yet_returned as (
    select
        orders.customer_id,
        dates.as_of_date,
        count(*) as orders,
        count(case when orders.ordered_on > dates.year_before then 1 end) as orders_12m,
        min(orders.ordered_on) as first_order_on,
        max(orders.ordered_on) as last_order_on
    from {{ ref('stg_orders') }} as orders
    inner join dates
        on orders.ordered_on <= dates.as_of_date
        and orders.returned_on > dates.as_of_date
    where
        orders.is_counted
        and orders.is_fully_returned
    group by orders.customer_id, dates.as_of_date
),

as_known as (
    select
        customer_dates.customer_id,
        customer_dates.as_of_date,
        coalesce(so_far.orders, 0) + coalesce(not_yet_returned.orders, 0) as lifetime_orders,
        coalesce(so_far.orders_12m, 0) + coalesce(not_yet_returned.orders_12m, 0) as orders_12m,
        coalesce(so_far.revenue, 0) as revenue,
        coalesce(so_far.revenue_12m, 0) as revenue_12m,
        case when so_far.margin is not null then coalesce(so_far.margin_12m, 0) end as margin_12m,
        least(so_far.first_order_on, not_yet_returned.first_order_on) as first_kept_on,
        greatest(so_far.last_order_on, not_yet_returned.last_order_on) as last_kept_on,
        so_far.gap_days / nullif(so_far.gaps, 0) as mean_gap_days,
        so_far.margin,
        so_far.first_purchase_on,
        so_far.gaps,
        so_far.gap_days,
        so_far.squared_gap_days,
        so_far.median_gap_days,
        so_far.last_gap_days,
        so_far.discount_amount,
        so_far.list_amount,
        so_far.returned_amount,
        so_far.returnable_amount
    from customer_dates
    left join so_far
        on customer_dates.customer_id = so_far.customer_id
        and customer_dates.as_of_date = so_far.as_of_date
    left join not_yet_returned
        on customer_dates.customer_id = not_yet_returned.customer_id
        and customer_dates.as_of_date = not_yet_returned.as_of_date
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
    cast(orders_12m as integer) as orders_12m,
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
