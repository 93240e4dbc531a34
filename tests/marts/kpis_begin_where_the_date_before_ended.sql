-- customers before are the customers of the same segment at the date before
with

kpis as (
    select * from {{ ref('segment_kpis') }}
),

pairs as (
    select distinct
        as_of_date,
        previous_as_of_date,
        segmentation
    from kpis
    where previous_as_of_date is not null
),

ended as (
    select
        pairs.as_of_date,
        pairs.segmentation,
        kpis.segment,
        kpis.customers
    from pairs
    inner join kpis
        on pairs.previous_as_of_date = kpis.as_of_date
        and pairs.segmentation = kpis.segmentation
),

begun as (
    select
        as_of_date,
        segmentation,
        segment,
        customers_before as customers
    from kpis
    where previous_as_of_date is not null
)

select
    coalesce(begun.as_of_date, ended.as_of_date) as as_of_date,
    coalesce(begun.segmentation, ended.segmentation) as segmentation,
    coalesce(begun.segment, ended.segment) as segment,
    begun.customers as customers_before,
    ended.customers as customers_at_the_date_before
from begun
full outer join ended
    on begun.as_of_date = ended.as_of_date
    and begun.segmentation = ended.segmentation
    and begun.segment = ended.segment
where coalesce(begun.customers, 0) <> coalesce(ended.customers, 0)
