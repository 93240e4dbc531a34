-- where segments don't overlap, a customer's is one of those that there are, and not two between bars
with

exclusive as (
    select distinct segmentation
    from {{ ref('segments') }}
    where assignment <> 'all_matches'
)

select distinct
    membership.segmentation,
    membership.segment
from ({{ memberships('as_of_date = ' ~ latest_date()) }}) as membership
inner join exclusive on membership.segmentation = exclusive.segmentation
where membership.segment like '%|%'
