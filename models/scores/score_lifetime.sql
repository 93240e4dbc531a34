{{ config(materialized='view') }}
{%- set horizons = ['90d', '365d'] -%}
{%- set names = lifetime_parameters() -%}
with

rfm as (
    select * from {{ ref('features_rfm') }}
    where days_since_first_purchase is not null
),

fits as (
    select distinct
        as_of_date,
        learned_on as fitted_on
    from {{ ref('fits_in_use') }}
    where learned_on is not null
),

-- empty where there is no fit
parameters as (
    select
        {%- for name, model in names.items() %}
        max(case when model = '{{ model }}' and parameter = '{{ name }}' then value end) as {{ name }},
        {%- endfor %}
        fitted_on
    from {{ ref('fit_lifetime') }}
    group by fitted_on
),

order_ratios as (
    select * from {{ ref('fit_order_ratios') }}
),

purchases_if_alive as (
    select * from {{ ref('purchases_if_alive') }}
),

histories as (
    select
        rfm.customer_id,
        rfm.as_of_date,
        fits.fitted_on,
        rfm.interpurchase_count as repeat_purchases,
        rfm.days_since_first_purchase as tenure_days,
        {{ weeks('rfm.days_from_first_to_last_purchase') }} as last_purchase_weeks,
        {{ weeks('rfm.days_since_first_purchase') }} as tenure_weeks,
        rfm.interpurchase_count + 1 as purchases,
        greatest(cast(rfm.lifetime_revenue as double), 0) as revenue,
        {%- for name in names %}
        parameters.{{ name }},
        {%- endfor %}
        order_ratios.orders_per_purchase,
        order_ratios.orders_per_purchase_variance,
        order_ratios.margin_share
    from rfm
    inner join fits on rfm.as_of_date = fits.as_of_date
    left join parameters on fits.fitted_on = parameters.fitted_on
    left join order_ratios on parameters.fitted_on = order_ratios.fitted_on
),
{{ alive() }},

-- of a customer's mean spend per purchase: its distribution given what was spent so far
spend as (
    select
        *,
        p * (v + revenue) / (p * purchases + q - 1) as purchase_value,
        case
            when p * purchases + q > 2
                then power(p * (v + revenue), 2) / ((p * purchases + q - 1) * (p * purchases + q - 2))
        end as squared_purchase_value
    from alive
),

expected as (
    select
        spend.*,
        {%- for horizon in horizons %}
        spend.probability_alive * purchases_if_alive.purchases_{{ horizon }} as purchases_{{ horizon }},
        -- the mean of the squared number of purchases
        spend.probability_alive * (purchases_if_alive.pairs_{{ horizon }} + purchases_if_alive.purchases_{{ horizon }})
            as squared_purchases_{{ horizon }},
        {%- endfor %}
        spend.probability_alive * purchases_if_alive.discounted_purchases as discounted_purchases,
        spend.probability_alive * purchases_if_alive.any_purchase_before_churn as any_purchase_before_churn,
        spend.probability_alive * purchases_if_alive.any_next_purchase as any_next_purchase
    from spend
    left join purchases_if_alive
        on spend.as_of_date = purchases_if_alive.as_of_date
        and spend.fitted_on = purchases_if_alive.fitted_on
        and spend.repeat_purchases = purchases_if_alive.repeat_purchases
        and spend.tenure_days = purchases_if_alive.tenure_days
)

select
    customer_id,
    as_of_date,
    fitted_on,
    {%- for horizon in horizons %}
    purchases_{{ horizon }} * orders_per_purchase as expected_orders_{{ horizon }},
    {%- endfor %}
    purchase_value / nullif(orders_per_purchase, 0) as expected_order_value,
    {%- for horizon in horizons %}
    purchases_{{ horizon }} * purchase_value as expected_revenue_{{ horizon }},
    {%- endfor %}
    {%- for horizon in horizons %}
    purchases_{{ horizon }} * purchase_value * margin_share as expected_margin_{{ horizon }},
    {%- endfor %}
    discounted_purchases * purchase_value * coalesce(margin_share, 1) as lifetime_value,
    {{ var('value_horizon_days') }} as lifetime_value_days,
    case when margin_share is null then 'revenue' else 'margin' end as lifetime_value_basis,
    {%- for horizon in horizons %}
    power(orders_per_purchase, 2) * (squared_purchases_{{ horizon }} - power(purchases_{{ horizon }}, 2))
    + orders_per_purchase_variance * purchases_{{ horizon }} as expected_orders_{{ horizon }}_variance,
    {%- endfor %}
    {%- for horizon in horizons %}
    squared_purchase_value * (squared_purchases_{{ horizon }} + purchases_{{ horizon }} / p)
    - power(purchases_{{ horizon }} * purchase_value, 2) as expected_revenue_{{ horizon }}_variance,
    {%- endfor %}
    1 - any_purchase_before_churn as churn_probability,
    {{ var('churn_days') }} as churn_days,
    any_next_purchase as lifetime_order_probability
from expected
