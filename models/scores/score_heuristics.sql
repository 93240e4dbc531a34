{{ config(materialized='view') }}
{%- set scores = evaluated_scores() -%}
{%- set kinds = scores | map(attribute='heuristic') | unique | list -%}
{%- set rates = {
    'orders': 'mean_orders',
    'revenue': 'mean_revenue',
    'has_order': 'order_share',
    'is_churned': '1 - order_share',
} %}

with

-- every fit that is applied to a date, with the cut-offs of the date itself
pairs as (
    select distinct
        fits.as_of_date,
        fits.learned_on as fitted_on,
        of_the_day.cutoffs_on
    from {{ ref('fits_in_use') }} as fits
    inner join {{ ref('fits_in_use') }} as of_the_day
        on fits.as_of_date = of_the_day.as_of_date
        and of_the_day.fitted_on = of_the_day.as_of_date
    where fits.learned_on is not null
),

cutoffs as (
    select * from {{ ref('fit_rfm_cutoffs') }}
),

buyers as (
    select
        rfm.*,
        pairs.fitted_on,
        {{ rfm_score('rfm.days_since_last_order', 'recency', low_is_good=true) }} as recency_score,
        {{ rfm_score('rfm.lifetime_orders', 'frequency') }} as frequency_score,
        coalesce(
            greatest(rfm.lifetime_orders - 1, 0) / nullif(cast(rfm.days_since_first_purchase as double), 0), 0
        ) as orders_a_day,
        coalesce(
            rfm.interpurchase_count / nullif(cast(rfm.days_since_first_purchase as double), 0), 0
        ) as purchases_a_day
    from {{ ref('features_rfm') }} as rfm
    inner join pairs on rfm.as_of_date = pairs.as_of_date
    {%- for metric in ['recency', 'frequency'] %}
    inner join cutoffs as {{ metric }}
        on pairs.cutoffs_on = {{ metric }}.fitted_on
        and {{ metric }}.metric = '{{ metric }}'
    {%- endfor %}
    where rfm.days_since_first_purchase is not null
),

segment_means as (
    select
        fitted_on,
        {%- for kind in kinds %}
        {%- set score = scores | selectattr('heuristic', 'equalto', kind) | first %}
        max(case when horizon_days = {{ score.horizon_days }} then {{ rates[score.outcome] }} end) as {{ kind }},
        {%- endfor %}
        recency_score,
        frequency_score
    from {{ ref('fit_outcome_rates') }}
    group by fitted_on, recency_score, frequency_score
)

select
    buyers.customer_id,
    buyers.as_of_date,
    buyers.fitted_on,
    {%- for kind in kinds %}
    segment_means.{{ kind }} as segment_mean_{{ kind }},
    {%- endfor %}
    {%- for kind in kinds %}
    {%- set score = scores | selectattr('heuristic', 'equalto', kind) | first %}
    {%- set days = score.horizon_days %}
    {{ {
        'orders': 'buyers.orders_a_day * ' ~ days,
        'revenue': 'buyers.orders_a_day * ' ~ days ~ ' * coalesce(buyers.average_order_value, 0)',
        'has_order': '1 - exp(-buyers.purchases_a_day * ' ~ days ~ ')',
        'is_churned': 'exp(-buyers.purchases_a_day * ' ~ days ~ ')',
    }[score.outcome] }} as repeat_rate_{{ kind }},
    {%- endfor %}
    buyers.days_since_first_purchase - buyers.days_from_first_to_last_purchase as days_since_last_purchase
from buyers
left join segment_means
    on buyers.fitted_on = segment_means.fitted_on
    and case when buyers.lifetime_orders > 0 then buyers.recency_score else 0 end = segment_means.recency_score
    and case when buyers.lifetime_orders > 0 then buyers.frequency_score else 0 end = segment_means.frequency_score
