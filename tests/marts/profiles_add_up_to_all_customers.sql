-- in a segmentation that looks at everybody, segments share out customers and revenue without rest
with

totals as (
    select * from {{ ref('segment_profiles') }}
    where segmentation = '(all)'
),

sums as (
    select
        profiles.segmentation,
        sum(profiles.share_of_customers) as share_of_customers,
        sum(profiles.customers) as customers,
        sum(profiles.revenue_12m) as revenue_12m
    from {{ ref('segment_profiles') }} as profiles
    inner join {{ ref('segments') }} as segments
        on profiles.segmentation = segments.segmentation
        and profiles.segment = segments.segment
    where segments.assignment = 'first_match'
    group by profiles.segmentation
)

select sums.*
from sums
cross join totals
where
    abs(sums.share_of_customers - 1) > 1e-9
    or sums.customers > totals.customers
    or (sums.customers = totals.customers and abs(sums.revenue_12m - totals.revenue_12m) > 1)
