-- one row for each as-of date, segmentation, segment before, segment now and cause
select
    as_of_date,
    segmentation,
    from_segment,
    to_segment,
    cause,
    count(*) as copies
from {{ ref('segment_migration') }}
group by as_of_date, segmentation, from_segment, to_segment, cause
having count(*) > 1
