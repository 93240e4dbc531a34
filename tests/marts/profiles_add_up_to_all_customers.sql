-- profiles hold every customer who is published, and segments that hold everybody hold all the revenue
with

profiles as (
    select * from {{ ref('segment_profiles') }}
),

totals as (
    select * from profiles
    where segmentation = '(all)'
),

published as (
    select
        membership.segmentation,
        membership.segment,
        count(*) as customers
    from ({{ memberships('as_of_date = ' ~ latest_date()) | indent(4) }}) as membership
    group by membership.segmentation, membership.segment
    union all
    select
        '(all)' as segmentation,
        '(all)' as segment,
        count(*) as customers
    from {{ ref('segment_history') }}
    where as_of_date = {{ latest_date() }}
),

sums as (
    select
        profiles.segmentation,
        sum(profiles.customers) as customers,
        sum(profiles.revenue_12m) as revenue_12m,
        sum(profiles.share_of_revenue_12m) as share_of_revenue_12m
    from profiles
    inner join {{ ref('segments') }} as segments
        on profiles.segmentation = segments.segmentation
        and profiles.segment = segments.segment
    where segments.assignment <> 'all_matches'
    group by profiles.segmentation
)

select
    coalesce(profiles.segmentation, published.segmentation) as segmentation,
    coalesce(profiles.segment, published.segment) as segment,
    profiles.customers as profiled,
    published.customers as published
from profiles
full outer join published
    on profiles.segmentation = published.segmentation
    and profiles.segment = published.segment
where coalesce(profiles.customers, 0) <> coalesce(published.customers, 0)

union all

select
    sums.segmentation,
    '(all revenue)' as segment,
    sums.revenue_12m as profiled,
    totals.revenue_12m as published
from sums
cross join totals
where
    sums.customers > totals.customers
    or (
        sums.customers = totals.customers
        and (abs(sums.revenue_12m - totals.revenue_12m) > 1 or abs(sums.share_of_revenue_12m - 1) > 1e-6)
    )
