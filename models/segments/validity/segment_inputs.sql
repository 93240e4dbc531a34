{%- set definitions = published_definitions() -%}
{%- set inputs = condition_inputs(definitions) -%}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

with

counted as (
    select
        {%- for segmentation, column, population in inputs %}
        count(case when {{ population }} then {{ column }} end) as {{ segmentation }}_{{ column }},
        {%- endfor %}
        {%- for definition in definitions %}
        count(case when {{ null_if_undefined(definition.population or 'true') }} then 1 end)
            as {{ definition.name }}_customers,
        {%- endfor %}
        count(*) as customers
    from {{ ref('latest_features') }}
)

{%- for segmentation, column, population in inputs %}
select
    '{{ segmentation }}' as segmentation,
    '{{ column }}' as input_column,
    {{ segmentation }}_{{ column }} as known,
    {{ segmentation }}_customers as customers
from counted
union all
{%- endfor %}
select
    cast(null as string) as segmentation,
    cast(null as string) as input_column,
    cast(null as bigint) as known,
    cast(null as bigint) as customers
where false
