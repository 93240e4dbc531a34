{{ config(materialized='view') }}
{%- set definitions = published_definitions() %}

with

published as (
    select * from {{ ref('published_segments') }}
)
{% for definition in definitions %}
select
    customer_id,
    as_of_date,
    '{{ definition.name }}' as segmentation,
    {{ split_to_rows(definition.name, '|') if definition.assignment == 'all_matches' else definition.name }} as segment
from published
where {{ definition.name }} is not null
{{ 'union all' if not loop.last }}
{%- endfor %}
