-- what the orders bring in is what customers, profiles and cohorts show
with

orders as (
    select sum(amount - coalesce(returned_amount, 0)) as revenue
    from {{ ref('stg_orders') }}
    where
        is_counted
        and returned_on <= (select max(as_of_date) from {{ ref('as_of_dates') }})
),

customers as (
    select sum(lifetime_revenue) as revenue from {{ ref('customers') }}
),

profiles as (
    select lifetime_revenue as revenue from {{ ref('segment_profiles') }}
    where segmentation = '(all)'
)

select
    orders.revenue as of_orders,
    customers.revenue as of_customers,
    profiles.revenue as of_profiles
from orders
cross join customers
cross join profiles
where
    abs(orders.revenue - customers.revenue) > 1
    or abs(customers.revenue - profiles.revenue) > 1
