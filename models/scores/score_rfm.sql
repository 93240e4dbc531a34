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
    {%- for metric, column in rfm_metrics().items() %}
    -- with all cut-offs the same, at least three of five buyers are alike: the rest is no top fifth
    case
        when {{ metric }}.distinct_cutoffs > 1
            then {{ rfm_score('rfm.' ~ column, metric, low_is_good=metric == 'recency') | indent(12) }}
    end as {{ metric }}_score,
    {%- endfor %}
    frequency.distinct_cutoffs as frequency_levels
from rfm
inner join fits on rfm.as_of_date = fits.as_of_date
{%- for metric in rfm_metrics() %}
inner join cutoffs as {{ metric }}
    on fits.cutoffs_on = {{ metric }}.fitted_on
    and {{ metric }}.metric = '{{ metric }}'
{%- endfor %}
