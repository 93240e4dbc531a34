{{ config(materialized='view') }}
{%- set definitions = published_definitions() %}

with

published as (
    select * from {{ ref('published_segments') }}
)

select
    cast(null as string) as customer_id,
    cast(null as date) as as_of_date,
    cast(null as string) as segmentation,
    cast(null as string) as segment
where false
{%- for definition in definitions %}
union all
select
    customer_id,
    as_of_date,
    '{{ definition.name }}' as segmentation,
    {{ split_to_rows(definition.name, '|') if definition.assignment == 'all_matches' else definition.name }} as segment
from published
where {{ definition.name }} is not null
{%- endfor %}
