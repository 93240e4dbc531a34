with

latest as (
    select
        as_of_date,
        cast({{ dbt.date_trunc('month', 'as_of_date') }} as date) as latest_month
    from {{ ref('as_of_dates') }}
    where is_latest
),

-- orders that are not returned in full as far as is known on the latest date
orders as (
    select
        orders.customer_id,
        cast({{ dbt.date_trunc('month', 'orders.ordered_on') }} as date) as order_month
    from {{ ref('stg_orders') }} as orders
    inner join latest on orders.ordered_on <= latest.as_of_date
    where
        orders.is_counted
        and orders.customer_id is not null
        and not (orders.is_fully_returned and orders.returned_on <= latest.as_of_date)
),

cohorts as (
    select
        customer_id,
        min(order_month) as cohort_month
    from orders
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
        orders.order_month,
        count(distinct orders.customer_id) as active_customers,
        count(*) as orders
    from orders
    inner join cohorts on orders.customer_id = cohorts.customer_id
    group by cohorts.cohort_month, orders.order_month
),

-- what was ordered and sent back before the first order that was kept counts in its month
payments as (
    select
        cohorts.cohort_month,
        order_days.revenue,
        greatest(
            cast({{ dbt.date_trunc('month', 'order_days.date_day') }} as date), cohorts.cohort_month
        ) as order_month
    from {{ ref('order_days') }} as order_days
    inner join latest on order_days.date_day <= latest.as_of_date
    inner join cohorts on order_days.customer_id = cohorts.customer_id
),

revenues as (
    select
        cohort_month,
        order_month,
        sum(revenue) as revenue
    from payments
    group by cohort_month, order_month
),

-- every month since, also those in which nobody of the cohort came back
months as (
    select order_month from active
    union
    select order_month from revenues
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
    cast(coalesce(revenues.revenue, 0) as decimal(18, 2)) as revenue,
    -- the month of the latest date is not over yet
    grid.order_month < latest.latest_month
    or (
        grid.order_month = latest.latest_month
        and {{ dbt.last_day('latest.as_of_date', 'month') }} = latest.as_of_date
    ) as is_complete
from grid
cross join latest
left join active
    on grid.cohort_month = active.cohort_month
    and grid.order_month = active.order_month
left join revenues
    on grid.cohort_month = revenues.cohort_month
    and grid.order_month = revenues.order_month
