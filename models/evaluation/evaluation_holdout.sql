{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['score', 'as_of_date'],
        post_hook="{{ forget_other_settings() }}",
    )
}}
{%- set scores = evaluated_scores() -%}
{%- set is_due = dates_to_judge() -%}
{%- set models = {'lifetime': 'score_lifetime', 'next_order': 'score_next_order', 'clusters': 'score_cluster'} -%}
with

due as (
    {{ windows_due() | indent(4) }}
),

sampled as (
    select * from {{ ref('sampled_buyers') }}
    where as_of_date in (select due.fitted_on from due)
),

rfm_scores as (
    select * from {{ ref('score_rfm') }}
    where
        fitted_on = as_of_date
        and {{ is_due }}
),

heuristics as (
    select * from {{ ref('score_heuristics') }}
    where
        fitted_on = as_of_date
        and {{ is_due }}
),
{% for fit, model in models.items() %}
{{ fit }} as (
    select * from {{ ref(model) }}
    where
        fitted_on = as_of_date
        and {{ is_due }}
),
{% endfor %}
errors as (
    select
        {%- for name in scores | map(attribute='relative_error') | reject('none') | unique %}
        max(case when parameter = '{{ name }}' then value end) as {{ name }},
        {%- endfor %}
        fitted_on
    from {{ ref('fit_lifetime') }}
    group by fitted_on
),

-- what came after the date
came as (
    select
        {%- for days in outcome_horizons() %}
        {%- set is_within = dbt.datediff('sampled.as_of_date', 'order_days.date_day', 'day') ~ ' <= ' ~ days %}
        sum(case when {{ is_within }} then order_days.orders else 0 end) as orders_{{ days }}d,
        sum(case when {{ is_within }} then order_days.orders_placed else 0 end) as orders_placed_{{ days }}d,
        sum(case when {{ is_within }} then order_days.revenue else 0 end) as revenue_{{ days }}d,
        {%- endfor %}
        sampled.customer_id,
        sampled.as_of_date
    from sampled
    inner join {{ ref('order_days') }} as order_days
        on sampled.customer_id = order_days.customer_id
        and sampled.as_of_date < order_days.date_day
    group by sampled.customer_id, sampled.as_of_date
),

-- side by side: predictions, what else was known, and what came
known as (
    select
        sampled.customer_id,
        sampled.as_of_date,
        {%- for score in scores %}
        {{ score.fit }}.{{ score.name }},
        {%- for column in [score.variance, score.beside] if column %}
        lifetime.{{ column }},
        {%- endfor %}
        {%- endfor %}
        {%- for kind in scores | map(attribute='heuristic') | unique %}
        heuristics.segment_mean_{{ kind }},
        heuristics.repeat_rate_{{ kind }},
        {%- endfor %}
        {%- for days in outcome_horizons() %}
        coalesce(came.orders_{{ days }}d, 0) as orders_{{ days }}d,
        coalesce(came.orders_placed_{{ days }}d, 0) as orders_placed_{{ days }}d,
        coalesce(came.revenue_{{ days }}d, 0) as revenue_{{ days }}d,
        {%- endfor %}
        {%- for name in scores | map(attribute='relative_error') | reject('none') | unique %}
        errors.{{ name }},
        {%- endfor %}
        heuristics.days_since_last_purchase,
        try_cast(replace(clusters.nearest_cluster, 'cluster_', '') as integer) as cluster_id,
        rfm_scores.recency_score * 10 + coalesce(rfm_scores.frequency_score, 0) as cell
    from sampled
    left join errors on sampled.as_of_date = errors.fitted_on
    {%- for relation in ['lifetime', 'next_order', 'clusters', 'heuristics', 'rfm_scores', 'came'] %}
    left join {{ relation }}
        on sampled.customer_id = {{ relation }}.customer_id
        and sampled.as_of_date = {{ relation }}.as_of_date
    {%- endfor %}
),

holdout as (
    {%- for score in scores %}
    {%- set days = score.horizon_days ~ 'd' %}
    {%- set actual = {
        'orders': 'known.orders_' ~ days,
        'revenue': 'known.revenue_' ~ days,
        'has_order': 'case when known.orders_placed_' ~ days ~ ' > 0 then 1 else 0 end',
        'is_churned': 'case when known.orders_placed_' ~ days ~ ' > 0 then 0 else 1 end',
    } %}
    select
        '{{ score.name }}' as score,
        '{{ score.kind }}' as kind,
        {{ score.horizon_days }} as horizon_days,
        known.as_of_date,
        known.customer_id,
        known.{{ score.name }} as predicted,
        cast({{ actual[score.outcome] }} as double) as actual,
        known.segment_mean_{{ score.heuristic }} as segment_mean,
        known.repeat_rate_{{ score.heuristic }} as repeat_rate,
        {{ '' if score.outcome == 'is_churned' else '-' }}known.days_since_last_purchase as recency,
        {{ 'known.' ~ score.beside if score.beside else 'cast(null as double)' }} as lifetime_model,
        known.cell,
        {{ 'known.' ~ score.variance if score.variance else 'cast(null as double)' }} as variance,
        {{ 'known.' ~ score.relative_error if score.variance else 'cast(null as double)' }} as relative_error
    from known
    where known.{{ score.name }} is not null
    union all
    {%- endfor %}
    -- clusters predict nothing, but tell customers apart
    select
        'clusters' as score,
        'group' as kind,
        90 as horizon_days,
        as_of_date,
        customer_id,
        cluster_id as predicted,
        cast(orders_90d as double) as actual,
        segment_mean_orders_90d as segment_mean,
        cast(null as double) as repeat_rate,
        cast(null as integer) as recency,
        cast(null as double) as lifetime_model,
        cell,
        cast(null as double) as variance,
        cast(null as double) as relative_error
    from known
    where cluster_id is not null
),

dated as (
    select
        *,
        cast({{ dbt.dateadd('day', 'horizon_days', 'as_of_date') }} as date) as outcome_until
    from holdout
)

select
    dated.*,
    '{{ evaluation_settings() }}' as made_with
from dated
inner join due
    on dated.as_of_date = due.fitted_on
    and dated.score = due.score
