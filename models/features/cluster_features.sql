{{ config(materialized='view') }}
{%- set others = cluster_columns().values() | map(attribute='model') | unique | reject('equalto', 'features_rfm') %}

with

joined as (
    select
        {%- for name, column in cluster_columns().items() %}
        cast({{ column.model }}.{{ name }} as double) as {{ name }},
        {%- endfor %}
        features_rfm.lifetime_orders as all_orders,
        features_rfm.customer_id,
        features_rfm.as_of_date
    from {{ ref('features_rfm') }} as features_rfm
    {%- for feature_model in others %}
    inner join {{ ref(feature_model) }} as {{ feature_model }}
        on features_rfm.customer_id = {{ feature_model }}.customer_id
        and features_rfm.as_of_date = {{ feature_model }}.as_of_date
    {%- endfor %}
)

select
    {%- for name in cluster_columns() %}
    {{ name }},
    {%- endfor %}
    customer_id,
    as_of_date
from joined
where all_orders > 0
