{{ config(materialized='view') }}
{%- for feature in next_order_features_in_use() %}

select
    {{ loop.index }} as position,
    '{{ feature.name }}' as feature,
    '{{ feature.transform }}' as transform,
    '{{ feature.value }}' as value
{{ 'union all' if not loop.last }}
{%- endfor %}
