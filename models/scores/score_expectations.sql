{%- set scores = evaluated_scores() | selectattr('offer') | list -%}
{%- set offers = scores | map(attribute='offer') | unique | list -%}
with

lifetime as (
    select * from {{ ref('score_lifetime') }}
),

next_order as (
    select * from {{ ref('score_next_order') }}
),

choices as (
    select
        {%- for offer in offers %}
        max(case when offer = '{{ offer }}' then basis end) as {{ offer }}_basis,
        {%- endfor %}
        max(case when basis <> 'learned' then 1 else 0 end) as lost_scores,
        fitted_on
    from {{ ref('score_choices') }}
    group by fitted_on
),

-- read only where a score lost to them
heuristics as (
    select heuristics.*
    from {{ ref('score_heuristics') }} as heuristics
    inner join choices
        on heuristics.fitted_on = choices.fitted_on
        and choices.lost_scores > 0
),

models as (
    select
        fitted_on,
        max(model) as lifetime_model
    from {{ ref('fit_lifetime') }}
    where model in ('bg_nbd', 'pareto_nbd')
    group by fitted_on
),

offered as (
    select
        lifetime.*,
        {%- for offer in offers %}
        choices.{{ offer }}_basis,
        {%- endfor %}
        {%- for score in scores %}
        case choices.{{ score.offer }}_basis
            when 'learned' then {{ score.fit }}.{{ score.name }}
            when 'segment mean' then heuristics.segment_mean_{{ score.heuristic }}
            else heuristics.repeat_rate_{{ score.heuristic }}
        end as offered_{{ score.name }},
        {%- endfor %}
        models.lifetime_model
    from lifetime
    inner join choices on lifetime.fitted_on = choices.fitted_on
    left join models on lifetime.fitted_on = models.fitted_on
    {%- for relation in ['next_order', 'heuristics'] %}
    left join {{ relation }}
        on lifetime.customer_id = {{ relation }}.customer_id
        and lifetime.as_of_date = {{ relation }}.as_of_date
        and lifetime.fitted_on = {{ relation }}.fitted_on
    {%- endfor %}
)

select
    customer_id,
    as_of_date,
    fitted_on,
    offered_expected_orders_90d as expected_orders_90d,
    offered_expected_orders_365d as expected_orders_365d,
    expected_order_value,
    offered_expected_revenue_90d as expected_revenue_90d,
    offered_expected_revenue_365d as expected_revenue_365d,
    {{ in_proportion('expected_margin_90d', 90) }} as expected_margin_90d,
    {{ in_proportion('expected_margin_365d', 365) }} as expected_margin_365d,
    {{ in_proportion('lifetime_value', 365) }} as lifetime_value,
    lifetime_value_days,
    lifetime_value_basis,
    offered_churn_probability as churn_probability,
    churn_days,
    offered_learned_order_probability as next_order_probability,
    {%- for name, offer, value, learned in [
        ('expected_orders_basis', 'expected_orders', 'expected_orders_90d', 'lifetime_model'),
        ('expected_revenue_basis', 'expected_revenue', 'expected_revenue_90d', 'lifetime_model'),
        ('churn_basis', 'churn', 'churn_probability', 'lifetime_model'),
        ('next_order_basis', 'next_order', 'learned_order_probability', "'learned'"),
    ] %}
    case
        when offered_{{ value }} is null then 'not fitted'
        when {{ offer }}_basis = 'learned' then {{ learned }}
        else {{ offer }}_basis
    end as {{ name }},
    {%- endfor %}
    {{ var('next_order_days') }} as next_order_days
from offered
