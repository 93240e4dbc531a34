with

-- exact sums: the order in which customers are added up changes nothing
expected as (
    select
        customer_id,
        as_of_date,
        cast(expected_revenue_365d as decimal(18, 2)) as expected_revenue_365d,
        cast(coalesce(revenue_12m, 0) as decimal(18, 2)) as revenue_12m
    from {{ ref('latest_features') }}
    where expected_revenue_365d > 0
),

-- customers of equal value stand on the same place, so all of them are core or none
cumulated as (
    select
        *,
        rank() over (order by expected_revenue_365d desc) as value_rank,
        sum(expected_revenue_365d) over (order by expected_revenue_365d desc) as revenue_so_far,
        sum(expected_revenue_365d) over (partition by expected_revenue_365d) as revenue_of_equals,
        sum(expected_revenue_365d) over () as revenue_of_all
    from expected
),

-- up to and with the one who completes the share
marked as (
    select
        *,
        revenue_so_far - revenue_of_equals < {{ var('core_share') }} * revenue_of_all as is_needed
    from cumulated
),

counted as (
    select
        count(*) as customers,
        sum(case when is_needed then 1 else 0 end) as needed
    from marked
)

select
    marked.customer_id,
    marked.as_of_date,
    cast(marked.value_rank as integer) as value_rank,
    marked.expected_revenue_365d,
    marked.revenue_12m,
    cast(marked.expected_revenue_365d as double) / nullif(cast(marked.revenue_of_all as double), 0)
        as share_of_expected_revenue,
    cast(marked.revenue_so_far as double) / nullif(cast(marked.revenue_of_all as double), 0)
        as cumulated_share_of_expected_revenue,
    -- where most customers are needed, none of them is the core
    case when counted.needed <= 0.5 * counted.customers then marked.is_needed end as is_core
from marked
cross join counted
