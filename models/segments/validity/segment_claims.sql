{{ config(materialized='view') }}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

{%- for name in var('segmentations') if execute %}
{%- set definition = segmentation_definition(name) %}
{%- set whole = none if is_in_use(definition) else definition.left_out.values() | first %}
{%- for segment in definition.segments %}
{%- for claim in claims_of(segment) %}
select
    {{ as_text(name) }} as segmentation,
    {{ as_text(segment.name) }} as segment,
    {{ as_text(claim.metric) }} as metric,
    {{ as_text(claim.versus) }} as versus,
    {{ as_text(claim.direction) }} as direction,
    {{ as_text(definition.left_out.get(segment.name) or whole) }} as left_out_because
union all
{%- endfor %}
{%- endfor %}
{%- endfor %}
select
    cast(null as string) as segmentation,
    cast(null as string) as segment,
    cast(null as string) as metric,
    cast(null as string) as versus,
    cast(null as string) as direction,
    cast(null as string) as left_out_because
where false
