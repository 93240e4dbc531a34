-- of those who were in a segment before, all are somewhere now
select
    as_of_date,
    segmentation,
    from_segment,
    sum(share_of_from_segment) as shares
from {{ ref('segment_migration') }}
where from_segment is not null
group by as_of_date, segmentation, from_segment
having abs(sum(share_of_from_segment) - 1) > 1e-9
