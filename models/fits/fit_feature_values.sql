{{ config(materialized='view') }}
{%- set features = {} -%}
{%- for of_fit in drift_features().values() -%}{%- do features.update(of_fit) -%}{%- endfor -%}
with

buyers as (
    select * from {{ ref('sampled_buyers') }}
),

side_by_side as (
    select
        buyers.customer_id,
        {%- for feature, expression in features.items() %}
        cast({{ expression }} as double) as {{ feature }},
        {%- endfor %}
        buyers.as_of_date
    from buyers
    {%- for model in drift_models() %}
left join {{ ref(model) }} as {{ model }}
    on buyers.customer_id = {{ model }}.customer_id
    and buyers.as_of_date = {{ model }}.as_of_date
    {%- endfor %}
)
{% for feature in features %}
select
    customer_id,
    as_of_date,
    '{{ feature }}' as feature,
    {{ feature }} as value
from side_by_side
{{ 'union all' if not loop.last }}
{%- endfor %}
