{%- set scores = evaluated_scores() | selectattr('offer') | list -%}
{%- set offers = scores | map(attribute='offer') | unique | list -%}
with

lifetime as (
    select * from {{ ref('score_lifetime') }}
),

next_order as (
    select * from {{ ref('score_next_order') }}
),

-- read only where a score lost to them
heuristics as (
    select *
    from {{ ref('score_heuristics') }}
    where fitted_on in (select fitted_on from {{ ref('score_choices') }} where basis <> 'learned')
),

choices as (
    select
        fitted_on,
        {%- for offer in offers %}
        max(case when offer = '{{ offer }}' then basis end) as {{ offer }}_basis{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('score_choices') }}
    group by fitted_on
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
        models.lifetime_model,
        {%- for offer in offers %}
        choices.{{ offer }}_basis,
        {%- endfor %}
        {%- for score in scores %}
        case choices.{{ score.offer }}_basis
            when 'learned' then {{ score.fit }}.{{ score.name }}
            when 'segment mean' then heuristics.segment_mean_{{ score.heuristic }}
            else heuristics.repeat_rate_{{ score.heuristic }}
        end as offered_{{ score.name }}{{ ',' if not loop.last }}
        {%- endfor %}
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
    {%- for days in [90, 365] %}
    offered_expected_orders_{{ days }}d as expected_orders_{{ days }}d,
    {%- endfor %}
    expected_order_value,
    {%- for days in [90, 365] %}
    offered_expected_revenue_{{ days }}d as expected_revenue_{{ days }}d,
    {%- endfor %}
    {%- for days in [90, 365] %}
    {{ in_proportion('expected_margin_' ~ days ~ 'd', days) }} as expected_margin_{{ days }}d,
    {%- endfor %}
    {{ in_proportion('lifetime_value', 365) }} as lifetime_value,
    lifetime_value_days,
    offered_churn_probability as churn_probability,
    churn_days,
    offered_learned_order_probability as next_order_probability,
    {{ var('next_order_days') }} as next_order_days,
    {%- for name, offer, value, learned in [
        ('expected_orders_basis', 'expected_orders', 'offered_expected_orders_90d', 'lifetime_model'),
        ('expected_revenue_basis', 'expected_revenue', 'offered_expected_revenue_90d', 'lifetime_model'),
        ('churn_basis', 'churn', 'offered_churn_probability', 'lifetime_model'),
        ('next_order_basis', 'next_order', 'offered_learned_order_probability', "'learned'"),
    ] %}
    case
        when {{ value }} is null then 'not fitted'
        when {{ offer }}_basis = 'learned' then {{ learned }}
        else {{ offer }}_basis
    end as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from offered
