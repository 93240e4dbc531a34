-- what the orders bring in is what customers, profiles and cohorts show
with

-- a return that lies after the latest date is not known yet
orders as (
    select
        sum(orders.amount)
        - sum(
            case when orders.returned_on <= latest.as_of_date then coalesce(orders.returned_amount, 0) else 0 end
        ) as revenue
    from {{ ref('stg_orders') }} as orders
    inner join {{ ref('as_of_dates') }} as latest on latest.is_latest
    where orders.is_counted
),

customers as (
    select sum(lifetime_revenue) as revenue from {{ ref('customers') }}
),

profiles as (
    select lifetime_revenue as revenue from {{ ref('segment_profiles') }}
    where segmentation = '(all)'
),

-- who never kept an order is in no cohort, and has paid nothing
cohorts as (
    select sum(revenue) as revenue from {{ ref('cohort_retention') }}
)

select
    orders.revenue as of_orders,
    customers.revenue as of_customers,
    profiles.revenue as of_profiles,
    cohorts.revenue as of_cohorts
from orders
cross join customers
cross join profiles
cross join cohorts
where
    abs(orders.revenue - customers.revenue) > 1
    or abs(customers.revenue - profiles.revenue) > 1
    or abs(profiles.revenue - cohorts.revenue) > 1
