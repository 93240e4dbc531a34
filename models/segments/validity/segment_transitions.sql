{%- set definitions = published_definitions() -%}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

with

moves as (
    select * from {{ ref('segment_moves') }}
    where
        as_of_date = {{ dbt.last_day('as_of_date', 'month') }}
        and previous_as_of_date = {{ dbt.last_day('previous_as_of_date', 'month') }}
        and as_of_date <= (select max(as_of_dates.as_of_date) from {{ ref('as_of_dates') }} as as_of_dates)
),

months as (
    select
        as_of_date,
        previous_as_of_date,
        dense_rank() over (order by as_of_date desc) as months_back
    from moves
    group by as_of_date, previous_as_of_date
),

definitions as (
    select
        '(all)' as segmentation,
        cast(null as string) as definition_version
    {%- for definition in definitions %}
    union all
    select
        '{{ definition.name }}' as segmentation,
        '{{ definition.version }}' as definition_version
    {%- endfor %}
),

publications as (
    select * from {{ ref('publications') }}
)

-- months that began and ended under today's definition
select
    moves.as_of_date,
    moves.previous_as_of_date,
    moves.segmentation,
    moves.from_segment,
    moves.to_segment,
    sum(moves.customers) as customers,
    sum(moves.revenue) as revenue
from moves
inner join months
    on moves.as_of_date = months.as_of_date
    and moves.previous_as_of_date = months.previous_as_of_date
    and months.months_back <= 12
inner join definitions on moves.segmentation = definitions.segmentation
left join publications as now
    on moves.as_of_date = now.as_of_date
    and moves.segmentation = now.segmentation
left join publications as before
    on moves.previous_as_of_date = before.as_of_date
    and moves.segmentation = before.segmentation
where
    -- nobody moved in the month by being known on its last day alone, nor by being asked for the first time
    coalesce(moves.cause, '') not in ('undated', 'told')
    and (
        moves.segmentation = '(all)'
        or (
            now.definition_version = definitions.definition_version
            and before.definition_version = definitions.definition_version
        )
    )
group by
    moves.as_of_date, moves.previous_as_of_date, moves.segmentation, moves.from_segment, moves.to_segment
