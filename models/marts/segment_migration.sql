with

moves as (
    select
        *,
        sum(customers) over (partition by as_of_date, segmentation, from_segment) as customers_before
    from {{ ref('segment_moves') }}
    where
        segmentation <> '(all)'
        and previous_as_of_date is not null
),

segments as (
    select * from {{ ref('segments') }}
)

select
    moves.as_of_date,
    moves.segmentation,
    moves.from_segment,
    moves.to_segment,
    case
        when moves.from_segment = moves.to_segment then 'stayed'
        when moves.cause = 'undated' then 'undated'
        when moves.from_segment is null then 'entered'
        when moves.to_segment is null then 'left'
        when to_segments.segment_rank > from_segments.segment_rank then 'up'
        when to_segments.segment_rank < from_segments.segment_rank then 'down'
        else 'across'
    end as direction,
    moves.cause,
    cast(moves.customers as integer) as customers,
    case when moves.from_segment is not null then moves.customers / moves.customers_before end
        as share_of_from_segment,
    cast(moves.revenue as decimal(18, 2)) as revenue,
    cast(moves.revenue_12m as decimal(18, 2)) as revenue_12m
from moves
left join segments as from_segments
    on moves.segmentation = from_segments.segmentation
    and moves.from_segment = from_segments.segment
left join segments as to_segments
    on moves.segmentation = to_segments.segmentation
    and moves.to_segment = to_segments.segment
