{{ config(materialized='each_date', unique_key='applied_on') }}
{%- set names = lifetime_parameters() -%}
with

rfm as (
    select * from {{ ref('features_rfm') }}
    where days_since_first_purchase is not null
),

-- a fit that is new on a date is applied to the date before, too
fits as (
    select
        as_of_date,
        learned_on as fitted_on,
        min(fitted_on) as applied_on
    from {{ ref('fits_in_use') }}
    where learned_on is not null
    group by as_of_date, learned_on
),

parameters as (
    select
        {%- for name, model in names.items() if model != 'gamma_gamma' %}
        max(case when model = '{{ model }}' and parameter = '{{ name }}' then value end) as {{ name }},
        {%- endfor %}
        fitted_on
    from {{ ref('fit_lifetime') }}
    group by fitted_on
),

by_date as (
    select distinct
        fits.as_of_date,
        fits.fitted_on,
        fits.applied_on,
        rfm.interpurchase_count as repeat_purchases,
        rfm.days_since_first_purchase as tenure_days
    from rfm
    inner join fits on rfm.as_of_date = fits.as_of_date
    where {{ at_dates('fits.applied_on') }}
),

-- what the future of who is alive depends on: how many customers share it, and on which date, doesn't matter
histories as (
    select distinct
        fitted_on,
        repeat_purchases,
        tenure_days
    from by_date
),

states as (
    select
        histories.*,
        {%- for name, model in names.items() if model != 'gamma_gamma' %}
        parameters.{{ name }},
        {%- endfor %}
        {{ weeks('histories.tenure_days') }} as tenure_weeks
    from histories
    inner join parameters on histories.fitted_on = parameters.fitted_on
    where parameters.r is not null
),
{{ if_alive() }}

select
    by_date.as_of_date,
    by_date.fitted_on,
    by_date.applied_on,
    by_date.repeat_purchases,
    by_date.tenure_days,
    if_alive.purchases_90d,
    if_alive.purchases_365d,
    {{ discounted_purchases() }} as discounted_purchases,
    if_alive.pairs_90d,
    if_alive.pairs_365d,
    if_alive.any_churn as any_purchase_before_churn,
    if_alive.any_next as any_next_purchase
from by_date
inner join if_alive
    on by_date.fitted_on = if_alive.fitted_on
    and by_date.repeat_purchases = if_alive.repeat_purchases
    and by_date.tenure_days = if_alive.tenure_days
