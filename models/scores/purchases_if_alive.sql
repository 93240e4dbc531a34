{#- a refresh works out the histories that are new; a build all, because fits may have changed -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        full_refresh=not var('refresh'),
    )
}}

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

parameters as (
    select * from {{ ref('lifetime_parameters') }}
),

-- what the future of who is alive depends on: how many customers share it doesn't matter
histories as (
    select distinct
        fits.fitted_on,
        rfm.interpurchase_count as repeat_purchases,
        rfm.days_since_first_purchase as tenure_days
    from rfm
    inner join fits on rfm.as_of_date = fits.as_of_date
    {%- if is_incremental() %}
    except
    select
        fitted_on,
        repeat_purchases,
        tenure_days
    from {{ this }}
    {%- endif %}
),

states as (
    select
        histories.*,
        {%- for name, model in lifetime_parameters().items() if model != 'gamma_gamma' %}
        parameters.{{ name }},
        {%- endfor %}
        {{ weeks('histories.tenure_days') }} as tenure_weeks
    from histories
    inner join parameters on histories.fitted_on = parameters.fitted_on
    where parameters.r is not null
),
{{ if_alive() }}

select
    fitted_on,
    repeat_purchases,
    tenure_days,
    purchases_90d,
    purchases_365d,
    {{ discounted_purchases() }} as discounted_purchases,
    pairs_90d,
    pairs_365d,
    any_churn as any_purchase_before_churn,
    any_next as any_next_purchase
from if_alive
