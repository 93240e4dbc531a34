{{ config(materialized='view') }}
with

parameters as (
    select * from {{ ref('fit_lifetime') }}
),

order_ratios as (
    select * from {{ ref('fit_order_ratios') }}
),

side_by_side as (
    select
        {%- for name, model in lifetime_parameters().items() %}
        max(case when model = '{{ model }}' and parameter = '{{ name }}' then value end) as {{ name }},
        {%- endfor %}
        fitted_on
    from parameters
    group by fitted_on
)

select
    side_by_side.*,
    order_ratios.orders_per_purchase,
    order_ratios.orders_per_purchase_variance,
    order_ratios.margin_share
from side_by_side
left join order_ratios on side_by_side.fitted_on = order_ratios.fitted_on
