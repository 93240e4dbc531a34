-- where segments don't overlap, nobody is in two at once
with

exclusive as (
    select distinct segmentation
    from {{ ref('segments') }}
    where assignment <> 'all_matches'
)

select
    membership.customer_id,
    membership.as_of_date,
    membership.segmentation
from {{ ref('membership') }} as membership
inner join exclusive on membership.segmentation = exclusive.segmentation
group by membership.customer_id, membership.as_of_date, membership.segmentation
having count(*) > 1
