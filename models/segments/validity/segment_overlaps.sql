{%- set names = published_definitions() | map(attribute='name') | list -%}

with

customers as (
    select * from {{ ref('judged_customers') }}
    where outcome_window = 0
)

{%- for name in names %}
{%- for other in names[loop.index:] %}
select
    '{{ name }}' as segmentation,
    {{ name }} as label,
    '{{ other }}' as other_segmentation,
    {{ other }} as other_label,
    count(*) as customers
from customers
where {{ name }} is not null and {{ other }} is not null
group by {{ name }}, {{ other }}
union all
{%- endfor %}
{%- endfor %}
select
    cast(null as string) as segmentation,
    cast(null as string) as label,
    cast(null as string) as other_segmentation,
    cast(null as string) as other_label,
    cast(null as bigint) as customers
where false
