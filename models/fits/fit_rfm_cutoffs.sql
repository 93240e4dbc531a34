{{
    config(
        materialized='each_date',
        unique_key='fitted_on',
        post_hook="{{ warn_of_unscored_frequency() }}",
    )
}}
{%- set metrics = rfm_metrics() -%}
{%- set by_hand = var('rfm_cutoffs') or {} -%}
with

buyers as (
    select * from {{ ref('features_rfm') }}
    where
        lifetime_orders > 0
        and {{ at_dates() }}
),
{% for metric, column in metrics.items() %}
{{ metric }} as (
    select
        as_of_date as fitted_on,
        '{{ metric }}' as metric,
        {%- for quintile in range(1, 5) %}
        {% if metric in by_hand -%}
        cast({{ by_hand[metric][quintile - 1] }} as double) as cutoff_{{ quintile }},
        {%- else -%}
        cast({{ percentile(column, [0.2, 0.4, 0.6, 0.8], quintile) }} as double) as cutoff_{{ quintile }},
        {%- endif %}
        {%- endfor %}
        count(*) as customers,
        '{{ 'by hand' if metric in by_hand else 'quintiles' }}' as method
    from buyers
    group by as_of_date
),
{% endfor %}
cutoffs as (
    {%- for metric in metrics %}
    select * from {{ metric }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    fitted_on,
    metric,
    cutoff_1,
    cutoff_2,
    cutoff_3,
    cutoff_4,
    customers,
    method,
    -- equal cut-offs leave scores out: with half of the customers at one order there is no score between 1 and 3
    1
    + case when cutoff_2 > cutoff_1 then 1 else 0 end
    + case when cutoff_3 > cutoff_2 then 1 else 0 end
    + case when cutoff_4 > cutoff_3 then 1 else 0 end as distinct_cutoffs
from cutoffs
