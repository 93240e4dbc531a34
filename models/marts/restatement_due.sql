{%- set definitions = published_definitions() -%}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

with

closed as (
    select as_of_date from {{ ref('as_of_dates') }}
    where not is_latest
),

dates_after as (
    select
        days.period_end,
        count(*) as dates
    from (select distinct period_end from {{ ref('customer_periods') }}) as days
    inner join closed on days.period_end <= closed.as_of_date
    group by days.period_end
),

-- sums over all closed dates tell whose history may differ: few, and only theirs is worked out for each date
suspects as (
    select customer_id
    from (
        select
            recorded.customer_id,
            cast(recorded.history_hash as decimal(38, 0)) as summand
        from {{ ref('segment_history') }} as recorded
        inner join closed on recorded.as_of_date = closed.as_of_date
        union all
        select
            periods.customer_id,
            -cast(periods.history_hash as decimal(38, 0)) * dates_after.dates as summand
        from {{ ref('customer_periods') }} as periods
        inner join dates_after on periods.period_end = dates_after.period_end
    ) as summands
    group by customer_id
    having sum(summand) <> 0
),

published as (
    select
        recorded.customer_id,
        recorded.as_of_date,
        recorded.history_hash,
        recorded.lifetime_revenue
    from {{ ref('segment_history') }} as recorded
    inner join closed on recorded.as_of_date = closed.as_of_date
    where recorded.customer_id in (select suspects.customer_id from suspects)
),

history as (
    {{ history_hashes('closed', 'suspects') | indent(4) }}
),

-- of whom something else is known now: rows came late, were corrected or deleted
differing as (
    select
        coalesce(published.as_of_date, history.as_of_date) as as_of_date,
        count(*) as customers,
        sum(published.lifetime_revenue) as revenue_published,
        sum(history.revenue) as revenue_now
    from published
    full outer join history
        on published.customer_id = history.customer_id
        and published.as_of_date = history.as_of_date
    where published.history_hash is distinct from history.history_hash
    group by coalesce(published.as_of_date, history.as_of_date)
),

versions as (
    select
        cast(null as string) as segmentation,
        cast(null as string) as definition_version
    where false
    {%- for definition in definitions %}
    union all
    select
        '{{ definition.name }}' as segmentation,
        '{{ definition.version }}' as definition_version
    {%- endfor %}
),

redefined as (
    select
        publications.as_of_date,
        {{ sorted_text('publications.segmentation') }} as redefined_segmentations
    from {{ ref('publications') }} as publications
    inner join closed on publications.as_of_date = closed.as_of_date
    inner join versions
        on publications.segmentation = versions.segmentation
        and publications.definition_version <> versions.definition_version
    group by publications.as_of_date
)

select
    closed.as_of_date,
    cast(coalesce(differing.customers, 0) as integer) as customers,
    cast(coalesce(differing.revenue_published, 0) as decimal(18, 2)) as revenue_published,
    cast(coalesce(differing.revenue_now, 0) as decimal(18, 2)) as revenue_now,
    redefined.redefined_segmentations
from closed
left join differing on closed.as_of_date = differing.as_of_date
left join redefined on closed.as_of_date = redefined.as_of_date
where
    differing.customers > 0
    or redefined.redefined_segmentations is not null
