{{ config(materialized='view') }}
{%- set names = [
    'cluster_method',
    'lifetime_model',
    'next_order_days',
    'churn_days',
    'value_horizon_days',
    'discount_rate',
] %}

{%- for name in names %}
select
    '{{ name }}' as name,
    '{{ var(name) }}' as value
union all
{%- endfor %}
select
    'full_refresh' as name,
    '{{ 'true' if flags.FULL_REFRESH else 'false' }}' as value
