{{ config(materialized='view') }}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

{%- for definition in published_definitions() if definition.assignment == 'first_match' %}
{%- for segment in definition.segments if segment.rank is defined and segment.name not in definition.left_out %}
select
    {{ as_text(definition.name) }} as segmentation,
    {{ as_text(definition.population or none) }} as population,
    {{ as_text(segment.name) }} as segment,
    {{ as_text(segment.when or none) }} as condition,
    cast({{ loop.index }} as integer) as position,
    cast({{ segment.rank }} as integer) as segment_rank
union all
{%- endfor %}
{%- endfor %}
select
    cast(null as string) as segmentation,
    cast(null as string) as population,
    cast(null as string) as segment,
    cast(null as string) as condition,
    cast(null as integer) as position,
    cast(null as integer) as segment_rank
where false
