-- whoever was in a segment at the date before is somewhere in the migration, once, and the shares are whole
with

pairs as (
    select distinct
        as_of_date,
        previous_as_of_date,
        segmentation
    from {{ ref('segment_moves') }}
    where
        segmentation <> '(all)'
        and previous_as_of_date is not null
        -- closed dates were tested when they were written
        and as_of_date = {{ latest_date() }}
),

memberships as (
    {{ memberships() | indent(4) }}
),

members as (
    select
        pairs.as_of_date,
        pairs.segmentation,
        memberships.segment,
        count(*) as customers
    from pairs
    inner join memberships
        on pairs.previous_as_of_date = memberships.as_of_date
        and pairs.segmentation = memberships.segmentation
    group by pairs.as_of_date, pairs.segmentation, memberships.segment
),

moves as (
    select
        as_of_date,
        segmentation,
        from_segment as segment,
        sum(customers) as customers,
        sum(share_of_from_segment) as shares
    from {{ ref('segment_migration') }}
    where
        from_segment is not null
        and as_of_date = {{ latest_date() }}
    group by as_of_date, segmentation, from_segment
)

select
    coalesce(members.as_of_date, moves.as_of_date) as as_of_date,
    coalesce(members.segmentation, moves.segmentation) as segmentation,
    coalesce(members.segment, moves.segment) as segment,
    members.customers as members_before,
    moves.customers as customers_who_stayed_or_moved,
    moves.shares
from members
full outer join moves
    on members.as_of_date = moves.as_of_date
    and members.segmentation = moves.segmentation
    and members.segment = moves.segment
where
    members.customers is distinct from moves.customers
    or abs(moves.shares - 1) > 1e-9
