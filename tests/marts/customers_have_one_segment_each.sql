-- in a first-match segmentation nobody is in two segments at once
with

exclusive as (
    select distinct segmentation
    from {{ ref('segments') }}
    where assignment = 'first_match'
)

select
    membership.customer_id,
    membership.as_of_date,
    membership.segmentation
from {{ ref('membership') }} as membership
inner join exclusive on membership.segmentation = exclusive.segmentation
group by membership.customer_id, membership.as_of_date, membership.segmentation
having count(*) > 1
