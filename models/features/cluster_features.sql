{{ config(materialized='view') }}

select
    {%- for name, column in cluster_columns().items() %}
    cast({{ column.model }}.{{ name }} as double) as {{ name }},
    {%- endfor %}
    features_rfm.customer_id,
    features_rfm.as_of_date
from {{ ref('features_rfm') }} as features_rfm
inner join {{ ref('features_purchasing') }} as features_purchasing
    on features_rfm.customer_id = features_purchasing.customer_id
    and features_rfm.as_of_date = features_purchasing.as_of_date
inner join {{ ref('features_browsing') }} as features_browsing
    on features_rfm.customer_id = features_browsing.customer_id
    and features_rfm.as_of_date = features_browsing.as_of_date
where features_rfm.lifetime_orders > 0
