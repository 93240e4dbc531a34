with

order_days as (
    select
        customer_id,
        cast({{ dbt.date_trunc('month', 'date_day') }} as date) as order_month,
        orders_kept,
        revenue
    from {{ ref('order_days') }}
),

latest as (
    select
        as_of_date,
        cast({{ dbt.date_trunc('month', 'as_of_date') }} as date) as latest_month
    from {{ ref('as_of_dates') }}
    where is_latest
),

cohorts as (
    select
        customer_id,
        min(order_month) as cohort_month
    from order_days
    where orders_kept > 0
    group by customer_id
),

cohort_sizes as (
    select
        cohort_month,
        count(*) as customers
    from cohorts
    group by cohort_month
),

active as (
    select
        cohorts.cohort_month,
        order_days.order_month,
        count(distinct case when order_days.orders_kept > 0 then order_days.customer_id end) as active_customers,
        sum(order_days.orders_kept) as orders,
        sum(order_days.revenue) as revenue
    from order_days
    inner join cohorts on order_days.customer_id = cohorts.customer_id
    group by cohorts.cohort_month, order_days.order_month
),

-- every month since, also those in which nobody of the cohort came back
months as (
    select distinct order_month from active
),

grid as (
    select
        cohort_sizes.cohort_month,
        cohort_sizes.customers,
        months.order_month,
        12 * (extract(year from months.order_month) - extract(year from cohort_sizes.cohort_month))
        + extract(month from months.order_month)
        - extract(month from cohort_sizes.cohort_month) as months_since_first_order
    from cohort_sizes
    inner join months on cohort_sizes.cohort_month <= months.order_month
)

select
    grid.cohort_month,
    cast(grid.months_since_first_order as integer) as months_since_first_order,
    grid.order_month,
    cast(grid.customers as integer) as customers,
    cast(coalesce(active.active_customers, 0) as integer) as active_customers,
    coalesce(active.active_customers, 0) / grid.customers as retention_rate,
    cast(coalesce(active.orders, 0) as integer) as orders,
    cast(coalesce(active.revenue, 0) as decimal(18, 2)) as revenue,
    -- the month of the latest date is not over yet
    grid.order_month < latest.latest_month
    or {{ dbt.last_day('latest.as_of_date', 'month') }} = latest.as_of_date as is_complete
from grid
cross join latest
left join active
    on grid.cohort_month = active.cohort_month
    and grid.order_month = active.order_month
