{%- set by_hand = var('rfm_cutoffs') or {} -%}
{%- set metrics = {'recency': 'days_since_last_order', 'frequency': 'lifetime_orders'} -%}
with

fit_dates as (
    select * from {{ ref('fit_dates') }}
),

horizons as (
    {%- for days in outcome_horizons() %}
    select {{ days }} as horizon_days
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- what came in the days before the fit, of those who were buyers when these days began
windows as (
    select
        fit_dates.fitted_on,
        horizons.horizon_days,
        cast({{ dbt.dateadd('day', '-horizons.horizon_days', 'fit_dates.fitted_on') }} as date) as measured_from
    from fit_dates
    cross join horizons
),

known as (
    select
        customer_id,
        min(date_day) as first_purchase_on,
        {{ hash_position('customer_id') }} as position
    from {{ ref('order_days') }}
    where orders_placed > 0
    group by customer_id
),

sizes as (
    select
        windows.fitted_on,
        windows.horizon_days,
        windows.measured_from,
        count(*) as buyers
    from windows
    inner join known on windows.measured_from >= known.first_purchase_on
    group by windows.fitted_on, windows.horizon_days, windows.measured_from
),

-- means of forty thousand serve as well as those of all
shares as (
    select max(40000.0 / buyers) as largest_share from sizes
),

candidates as (
    select known.*
    from known
    inner join shares on known.position < shares.largest_share
),

candidate_days as (
    select
        candidates.first_purchase_on,
        candidates.position,
        order_days.*
    from {{ ref('order_days') }} as order_days
    inner join candidates on order_days.customer_id = candidates.customer_id
),

states as (
    select
        sizes.fitted_on,
        sizes.horizon_days,
        sizes.measured_from,
        days.customer_id,
        max(
            case when days.date_day <= sizes.measured_from and days.orders_placed > 0 then days.date_day end
        ) as last_order_on,
        sum(case when days.date_day <= sizes.measured_from then days.orders end) as lifetime_orders,
        sum(case when days.date_day > sizes.measured_from then days.orders else 0 end) as orders,
        sum(case when days.date_day > sizes.measured_from then days.orders_placed else 0 end) as orders_placed,
        sum(case when days.date_day > sizes.measured_from then days.revenue else 0 end) as revenue
    from candidate_days as days
    inner join sizes
        on days.date_day <= sizes.fitted_on
        and days.first_purchase_on <= sizes.measured_from
        and days.position * sizes.buyers < 40000
    group by sizes.fitted_on, sizes.horizon_days, sizes.measured_from, days.customer_id
),

buyers as (
    select
        *,
        {{ dbt.datediff('last_order_on', 'measured_from', 'day') }} as days_since_last_order
    from states
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
        percentile_disc({{ quintile / 5 }}) within group (order by {{ column }}) as cutoff_{{ quintile }},
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
    means.order_share
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
