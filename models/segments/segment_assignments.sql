{{ config(materialized='each_date', unique_key='as_of_date', pre_hook="{{ forget_other_definitions() }}") }}
{%- set definitions = published_definitions() -%}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

-- all definitions in one pass, because that is the only one over everything known of everybody
select
    customer_id,
    as_of_date,
    {%- for definition in definitions %}
    {{ place_expression(definition) | indent(4) }} as {{ definition.name }},
    {%- endfor %}
    {%- for measure, type in place_measures().items() %}
    {{ 'cast(' ~ measure ~ ' as ' ~ type ~ ')' if type else measure }} as {{ measure }},
    {%- endfor %}
    '{{ definitions_version(definitions) }}' as definitions_version
from (
    select * from {{ ref('latest_features') }}
    where {{ at_dates() }}
    union all
    {{ side_by_side(at_dates() ~ ' and as_of_date < ' ~ latest_date()) | indent(4) }}
) as customer_features
