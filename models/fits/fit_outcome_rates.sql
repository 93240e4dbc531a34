{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='fitted_on',
        post_hook="{{ forget_later_dates() }}",
    )
}}
{%- set by_hand = var('rfm_cutoffs') or {} -%}
{%- set metrics = {'recency': 'days_since_last_order', 'frequency': 'lifetime_orders'} -%}
with

buyers as (
    select
        *,
        {{ dbt.datediff('last_order_on', 'measured_from', 'day') }} as days_since_last_order
    from {{ ref('outcome_states') }}
    where lifetime_orders > 0
),
{% for metric, column in metrics.items() %}
{{ metric }} as (
    select
        fitted_on,
        {%- for quintile in range(1, 5) %}
        {% if metric in by_hand -%}
        {{ by_hand[metric][quintile - 1] }} as cutoff_{{ quintile }},
        {%- else -%}
        {{ percentile(column, [0.2, 0.4, 0.6, 0.8], quintile) }} as cutoff_{{ quintile }},
        {%- endif %}
        {%- endfor %}
        horizon_days
    from buyers
    group by fitted_on, horizon_days
),
{% endfor %}
scored as (
    select
        buyers.fitted_on,
        buyers.horizon_days,
        buyers.measured_from,
        buyers.orders,
        buyers.orders_placed,
        buyers.revenue,
        {{ rfm_score('buyers.days_since_last_order', 'recency', low_is_good=true) }} as recency_score,
        {{ rfm_score('buyers.lifetime_orders', 'frequency') }} as frequency_score
    from buyers
    {%- for metric in metrics %}
inner join {{ metric }}
    on buyers.fitted_on = {{ metric }}.fitted_on
    and buyers.horizon_days = {{ metric }}.horizon_days
    {%- endfor %}
),

-- 0 stands for all scores
levels as (
    {%- for recency, frequency in [('recency_score', 'frequency_score'), ('recency_score', '0'), ('0', '0')] %}
    select
        fitted_on,
        horizon_days,
        measured_from,
        orders,
        orders_placed,
        revenue,
        {{ recency }} as recency_score,
        {{ frequency }} as frequency_score
    from scored
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

means as (
    select
        fitted_on,
        horizon_days,
        measured_from,
        recency_score,
        frequency_score,
        count(*) as customers,
        cast(sum(orders) as double) / count(*) as mean_orders,
        cast(sum(revenue) as double) / count(*) as mean_revenue,
        sum(case when orders_placed > 0 then 1.0 else 0.0 end) / count(*) as order_share
    from levels
    group by fitted_on, horizon_days, measured_from, recency_score, frequency_score
),

scores as (
    {%- for score in range(1, 6) %}
    select {{ score }} as score
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

cells as (
    select
        recency.score as recency_score,
        frequency.score as frequency_score
    from scores as recency
    cross join scores as frequency
    union all
    -- buyers who have sent back all they ordered have no scores
    select
        0 as recency_score,
        0 as frequency_score
)

-- each cell speaks for itself if it can, else the recency alone, else all
select
    means.fitted_on,
    means.horizon_days,
    cells.recency_score,
    cells.frequency_score,
    case
        when means.frequency_score > 0 then 'recency and frequency'
        when means.recency_score > 0 then 'recency'
        else 'all'
    end as basis,
    means.measured_from,
    cast(means.customers as integer) as customers,
    means.mean_orders,
    means.mean_revenue,
    means.order_share,
    '{{ settings_hash('fit_outcome_rates') }}' as made_with
from cells
inner join means
    on (cells.recency_score = means.recency_score or means.recency_score = 0)
    and (cells.frequency_score = means.frequency_score or means.frequency_score = 0)
where
    means.customers >= 30
    or means.recency_score = 0
qualify
    row_number() over (
        partition by means.fitted_on, means.horizon_days, cells.recency_score, cells.frequency_score
        order by means.recency_score desc, means.frequency_score desc
    ) = 1
