{%- set definitions = published_definitions() -%}
{%- set channels = input_contract()['consents']['columns']['channel']['values'] -%}
{%- set reached = ['is_reachable'] -%}
{%- for channel in channels %}{% do reached.append('can_' ~ channel) %}{% endfor %}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

with

customers as (
    select
        as_of_date,
        {%- for definition in definitions %}
        {{ place_expression(definition) | indent(8) }} as {{ definition.name }},
        {{ known_expression(definition) | indent(8) }} as {{ definition.name }}_known,
        {%- endfor %}
        {%- for column in reached %}
        {{ column }},
        {%- endfor %}
        revenue_12m
    from {{ ref('latest_features') }}
)

-- also who is outside of a segmentation, since that may be for lack of knowledge
{%- for definition in definitions %}
select
    '{{ definition.name }}' as segmentation,
    {{ definition.name }} as label,
    {{ definition.name }}_known as known,
    as_of_date,
    {%- for column in reached %}
    sum(case when {{ column }} then 1 when not {{ column }} then 0 end) as {{ column }},
    {%- endfor %}
    sum(revenue_12m) as revenue_12m,
    count(*) as customers
from customers
group by {{ definition.name }}, {{ definition.name }}_known, as_of_date
union all
{%- endfor %}
select
    cast(null as string) as segmentation,
    cast(null as string) as label,
    cast(null as string) as known,
    cast(null as date) as as_of_date,
    {%- for column in reached %}
    cast(null as bigint) as {{ column }},
    {%- endfor %}
    cast(null as decimal(38, 4)) as revenue_12m,
    cast(null as bigint) as customers
where false
