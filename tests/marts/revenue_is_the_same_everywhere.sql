-- what the orders bring in, less what is paid back, is what customers, profiles, cohorts and months show
with

latest as (
    select as_of_date from {{ ref('as_of_dates') }}
    where is_latest
),

-- what lies after the latest date is not known yet
movements as (
    select
        orders.customer_id,
        orders.amount
    from {{ ref('stg_orders') }} as orders
    inner join latest on orders.ordered_on <= latest.as_of_date
    where orders.is_counted
    union all
    select
        returns.customer_id,
        -returns.amount as amount
    from {{ ref('stg_returns') }} as returns
    inner join latest on returns.returned_on <= latest.as_of_date
    where returns.is_counted
),

orders as (
    select
        coalesce(sum(amount), 0) as revenue,
        coalesce(sum(case when customer_id is not null then amount end), 0) as of_identified
    from movements
),

months as (
    select
        coalesce(sum(revenue), 0) as revenue,
        coalesce(sum(identified_revenue), 0) as of_identified
    from {{ ref('identified_revenue') }}
),

-- who never kept an order is in no cohort, and has at most paid back less than nothing
customers as (
    select
        sum(lifetime_revenue) as revenue,
        sum(case when first_order_on is not null then lifetime_revenue else 0 end) as of_buyers
    from {{ ref('customers') }}
),

profiles as (
    select lifetime_revenue as revenue from {{ ref('segment_profiles') }}
    where segmentation = '(all)'
),

cohorts as (
    select coalesce(sum(revenue), 0) as revenue from {{ ref('cohort_retention') }}
)

select
    orders.revenue as of_orders,
    months.revenue as of_months,
    orders.of_identified as of_identified_orders,
    customers.revenue as of_customers,
    profiles.revenue as of_profiles,
    customers.of_buyers,
    cohorts.revenue as of_cohorts
from orders
cross join months
cross join customers
cross join profiles
cross join cohorts
where
    abs(orders.revenue - months.revenue) > 1
    or abs(orders.of_identified - months.of_identified) > 1
    or abs(orders.of_identified - customers.revenue) > 1
    or abs(customers.revenue - profiles.revenue) > 1
    or abs(customers.of_buyers - cohorts.revenue) > 1
