{{ config(materialized='by_date', by_next_fit=true) }}
{%- set definitions = published_definitions() -%}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

-- all definitions and both fits in one pass, because that is the only one over everything known of everybody
select
    customer_id,
    as_of_date,
    {%- for definition in definitions %}
    {{ place_expression(definition) | indent(4) }} as {{ definition.name }},
    {%- endfor %}
    {%- for measure in place_measures() %}
    case when fitted_on = as_of_date then {{ measure }} end as {{ measure }},
    {%- endfor %}
    fitted_on
from {{ due('customer_features_by_fit') }}
