with

moves as (
    select
        moves.*,
        from_segments.segment_rank as from_rank,
        to_segments.segment_rank as to_rank
    from {{ ref('segment_moves') }} as moves
    left join {{ ref('segments') }} as from_segments
        on moves.segmentation = from_segments.segmentation
        and moves.from_segment = from_segments.segment
    left join {{ ref('segments') }} as to_segments
        on moves.segmentation = to_segments.segmentation
        and moves.to_segment = to_segments.segment
),

-- who is in the segment now, and how they came there
arrivals as (
    select
        as_of_date,
        segmentation,
        to_segment as segment,
        sum(customers) as customers,
        sum(expected_revenue_365d) as expected_revenue_365d,
        sum(lifetime_value) as lifetime_value,
        cast(sum(churn_probability) as double) / nullif(sum(churn_customers), 0) as churn_probability_mean,
        cast(sum(next_order_probability) as double) / nullif(sum(next_order_customers), 0)
            as next_order_probability_mean,
        sum(case when from_segment is null and cause <> 'undated' then customers else 0 end) as acquired,
        sum(case when cause = 'undated' then customers else 0 end) as undated,
        sum(case when from_segment = to_segment then customers else 0 end) as retained,
        sum(case when to_rank > from_rank then customers else 0 end) as upgraded,
        sum(case when to_rank < from_rank then customers else 0 end) as downgraded,
        sum(won_back) as won_back,
        sum(won_back_by_refit) as won_back_by_refit,
        sum(orders) as orders,
        sum(revenue) as revenue,
        sum(buyers) as buyers,
        sum(repeat_buyers) as repeat_buyers
    from moves
    where to_segment is not null
    group by as_of_date, segmentation, to_segment
),

departures as (
    select
        as_of_date,
        segmentation,
        from_segment as segment,
        sum(customers) as customers_before,
        sum(case when from_segment = to_segment then 0 else customers end) as departed,
        sum(case when to_rank > from_rank then customers else 0 end) as moved_up,
        sum(case when to_rank < from_rank then customers else 0 end) as moved_down,
        sum(active_before) as active_before,
        sum(churned) as churned,
        sum(churned_by_refit) as churned_by_refit
    from moves
    where from_segment is not null
    group by as_of_date, segmentation, from_segment
),

-- also a segment that is empty now, or was empty before
keys as (
    select
        as_of_date,
        segmentation,
        segment
    from arrivals
    union
    select
        as_of_date,
        segmentation,
        segment
    from departures
),

-- flows are known where the date before was published too
dates as (
    select distinct
        as_of_date,
        previous_as_of_date,
        segmentation
    from moves
)
{%- set has_before = 'dates.previous_as_of_date is not null' %}
{%- set is_ranked = has_before ~ ' and segments.segment_rank is not null' %}
{%- set departing = ['customers_before', 'active_before', 'departed', 'churned', 'churned_by_refit'] %}
{%- set arriving = [
    'acquired', 'undated', 'retained', 'won_back', 'won_back_by_refit', 'orders', 'buyers', 'repeat_buyers'
] %}

select
    keys.as_of_date,
    dates.previous_as_of_date,
    keys.segmentation,
    keys.segment,
    publications.definition_version,
    cast(coalesce(arrivals.customers, 0) as integer) as customers,
    -- of the first date there is no before
    {%- for count in departing %}
    cast(case when {{ has_before }} then coalesce(departures.{{ count }}, 0) end as integer) as {{ count }},
    {%- endfor %}
    {%- for count in arriving %}
    cast(case when {{ has_before }} then coalesce(arrivals.{{ count }}, 0) end as integer) as {{ count }},
    {%- endfor %}
    {%- for count, side in {
        'upgraded': 'arrivals', 'downgraded': 'arrivals', 'moved_up': 'departures', 'moved_down': 'departures'
    }.items() %}
    cast(case when {{ is_ranked }} then coalesce({{ side }}.{{ count }}, 0) end as integer) as {{ count }},
    {%- endfor %}
    cast(case when {{ has_before }} then coalesce(arrivals.revenue, 0) end as decimal(18, 2)) as revenue,
    cast(arrivals.expected_revenue_365d as decimal(18, 2)) as expected_revenue_365d,
    cast(arrivals.lifetime_value as decimal(18, 2)) as lifetime_value,
    arrivals.churn_probability_mean,
    arrivals.next_order_probability_mean,
    case when {{ has_before }} and arrivals.orders > 0 then cast(arrivals.revenue as double) / arrivals.orders end
        as average_order_value,
    case when {{ has_before }} then arrivals.repeat_buyers / nullif(arrivals.buyers, 0) end as repeat_rate
from keys
left join dates
    on keys.as_of_date = dates.as_of_date
    and keys.segmentation = dates.segmentation
left join arrivals
    on keys.as_of_date = arrivals.as_of_date
    and keys.segmentation = arrivals.segmentation
    and keys.segment = arrivals.segment
left join departures
    on keys.as_of_date = departures.as_of_date
    and keys.segmentation = departures.segmentation
    and keys.segment = departures.segment
left join {{ ref('segments') }} as segments
    on keys.segmentation = segments.segmentation
    and keys.segment = segments.segment
left join {{ ref('publications') }} as publications
    on keys.as_of_date = publications.as_of_date
    and keys.segmentation = publications.segmentation
