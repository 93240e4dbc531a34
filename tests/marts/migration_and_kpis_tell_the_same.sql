-- customers now = customers before - departed + acquired + undated + those from other segments, everywhere
with

arrived as (
    select
        as_of_date,
        segmentation,
        to_segment as segment,
        sum(case when direction = 'entered' then customers else 0 end) as acquired,
        sum(case when direction = 'undated' then customers else 0 end) as undated,
        sum(case when from_segment is not null then customers else 0 end) as from_other_segments
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
    and (
        kpis.customers
        <> kpis.customers_before - kpis.departed + kpis.acquired + kpis.undated
        + coalesce(arrived.from_other_segments, 0)
        or (
            kpis.segmentation <> '(all)'
            and (
                kpis.acquired <> coalesce(arrived.acquired, 0)
                or kpis.undated <> coalesce(arrived.undated, 0)
            )
        )
    )
