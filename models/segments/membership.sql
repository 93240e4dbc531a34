{{ config(materialized='view') }}
{%- set columns = published_columns() %}

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
{%- for name, may_overlap in columns.items() %}
union all
select
    customer_id,
    as_of_date,
    '{{ name }}' as segmentation,
    {{ split_to_rows(name, '|') if may_overlap else name }} as segment
from published
where {{ name }} is not null
{%- endfor %}
