-- customers now = customers before - departed + arrived, for every segment and date
with

arrived as (
    select
        as_of_date,
        segmentation,
        to_segment as segment,
        sum(customers) as customers
    from {{ ref('segment_migration') }}
    where
        direction <> 'stayed'
        and to_segment is not null
    group by as_of_date, segmentation, to_segment
)

select
    kpis.as_of_date,
    kpis.segmentation,
    kpis.segment
from {{ ref('segment_kpis') }} as kpis
left join arrived
    on kpis.as_of_date = arrived.as_of_date
    and kpis.segmentation = arrived.segmentation
    and kpis.segment = arrived.segment
where
    kpis.previous_as_of_date is not null
    and kpis.segmentation <> '(all)'
    and kpis.customers <> kpis.customers_before - kpis.departed + coalesce(arrived.customers, 0)
