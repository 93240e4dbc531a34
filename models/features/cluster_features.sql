{{ config(materialized='view') }}
{%- set models = cluster_columns().values() | map(attribute='model') | unique | list %}

with

customers as (
    select
        customer_id,
        as_of_date
    from {{ ref('features_rfm') }}
    where lifetime_orders > 0
)

select
    {%- for name, column in cluster_columns().items() %}
    cast({{ column.model }}.{{ name }} as double) as {{ name }},
    {%- endfor %}
    customers.customer_id,
    customers.as_of_date
from customers
{%- for feature_model in models %}
inner join {{ ref(feature_model) }} as {{ feature_model }}
    on customers.customer_id = {{ feature_model }}.customer_id -- noqa: LT02
    and customers.as_of_date = {{ feature_model }}.as_of_date -- noqa: LT02
{%- endfor %}
