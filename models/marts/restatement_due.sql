{{ config(materialized='by_date', of_closed_dates=true) }}
{%- set definitions = published_definitions() -%}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

with

closed as (
    select as_of_date from {{ ref('as_of_dates') }}
    where not is_latest
),

published as (
    select published.*
    from {{ due('published_segments') }} as published
    inner join closed on published.as_of_date = closed.as_of_date
),

placed as (
    select
        placed.customer_id,
        {%- for definition in definitions %}
        nullif(placed.{{ definition.name }}, '') as {{ definition.name }},
        {%- endfor %}
        placed.as_of_date
    from {{ due('placed_segments') }} as placed
    inner join closed on placed.as_of_date = closed.as_of_date
    where placed.fitted_on = placed.as_of_date
),

-- the few who would be elsewhere
differing as (
    select
        coalesce(published.customer_id, placed.customer_id) as customer_id,
        (published.customer_id is null or placed.customer_id is null) as is_new_or_gone,
        {%- for definition in definitions %}
        published.{{ definition.name }} as {{ definition.name }}_published,
        placed.{{ definition.name }} as {{ definition.name }}_now,
        {%- endfor %}
        coalesce(published.as_of_date, placed.as_of_date) as as_of_date
    from published
    full outer join placed
        on published.customer_id = placed.customer_id
        and published.as_of_date = placed.as_of_date
    where
        false
        {%- for definition in definitions %}
        or published.{{ definition.name }} is distinct from placed.{{ definition.name }}
        {%- endfor %}
),

differences as (
    {%- for definition in definitions %}
    select
        customer_id,
        as_of_date,
        '{{ definition.name }}' as segmentation,
        '{{ definition.version }}' as version_now,
        {{ definition.name }}_published as published_segment,
        {{ definition.name }}_now as segment_now,
        is_new_or_gone
    from differing
    where {{ definition.name }}_published is distinct from {{ definition.name }}_now
    union all
    {%- endfor %}
    select
        cast(null as string) as customer_id,
        cast(null as date) as as_of_date,
        cast(null as string) as segmentation,
        cast(null as string) as version_now,
        cast(null as string) as published_segment,
        cast(null as string) as segment_now,
        cast(null as boolean) as is_new_or_gone
    where false
),

publications as (
    select * from {{ ref('publications') }}
),

-- the fits that decide who is where
rests_on as (
    {%- for definition in definitions %}
    {%- for fit in fits_behind(definition) %}
    select
        '{{ definition.name }}' as segmentation,
        '{{ fit }}' as fit
    union all
    {%- endfor %}
    {%- endfor %}
    select
        cast(null as string) as segmentation,
        cast(null as string) as fit
    where false
),

-- where one of them is another than when the date was published
refitted as (
    select distinct
        publications.as_of_date,
        publications.segmentation
    from publications
    inner join rests_on on publications.segmentation = rests_on.segmentation
    inner join {{ ref('fit_versions') }} as fit_versions
        on publications.as_of_date = fit_versions.as_of_date
        and rests_on.fit = fit_versions.fit
    where concat('|', coalesce(publications.fit_versions, ''), '|')
        not like concat('%|', fit_versions.fit, ' ', fit_versions.fit_version, '|%')
)

-- a segmentation that was not published on a date has nothing to restate there
select
    differences.customer_id,
    differences.as_of_date,
    differences.segmentation,
    differences.published_segment,
    differences.segment_now,
    case
        when differences.is_new_or_gone then 'data'
        when publications.definition_version <> differences.version_now then 'definition'
        when refitted.segmentation is not null then 'fit'
        else 'data'
    end as cause
from differences
inner join publications
    on differences.as_of_date = publications.as_of_date
    and differences.segmentation = publications.segmentation
left join refitted
    on differences.as_of_date = refitted.as_of_date
    and differences.segmentation = refitted.segmentation
