{{ config(materialized='view') }}

with

rfm as (
    select * from {{ ref('features_rfm') }}
    where lifetime_orders > 0
),

fits as (
    select * from {{ ref('fits_in_use') }}
),

cutoffs as (
    select * from {{ ref('fit_rfm_cutoffs') }}
)

select
    rfm.customer_id,
    rfm.as_of_date,
    fits.fitted_on,
    {{ rfm_score('rfm.days_since_last_order', 'recency', low_is_good=true) }} as recency_score,
    -- where at least three of five have ordered equally often, one order more is no top fifth
    case
        when frequency.distinct_cutoffs > 1 then {{ rfm_score('rfm.lifetime_orders', 'frequency') | indent(8) }}
    end as frequency_score,
    {{ rfm_score('rfm.lifetime_revenue', 'monetary') }} as monetary_score,
    {{ rfm_score('rfm.revenue_12m', 'monetary_12m') }} as monetary_12m_score,
    frequency.distinct_cutoffs as frequency_levels
from rfm
inner join fits on rfm.as_of_date = fits.as_of_date
{%- for metric in rfm_metrics() %}
inner join cutoffs as {{ metric }}
    on fits.cutoffs_on = {{ metric }}.fitted_on
    and {{ metric }}.metric = '{{ metric }}'
{%- endfor %}
