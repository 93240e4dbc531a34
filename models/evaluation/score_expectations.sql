{{ config(materialized='view') }}
{%- set scores = evaluated_scores() -%}
with

lifetime as (
    select * from {{ ref('score_lifetime') }}
),

next_order as (
    select * from {{ ref('score_next_order') }}
),

-- the fits and the choices of the date itself, and those of the next date
fits as (
    select * from {{ ref('fits_in_use') }}
    where learned_on is not null
),

choices as (
    select
        {%- for score in scores %}
        max(case when score = '{{ score.name }}' then basis end) as {{ score.name }}_basis,
        {%- endfor %}
        max(case when basis in ('segment mean', 'repeat rate') then 1 else 0 end) as replaced_scores,
        as_of_date
    from {{ ref('score_choices') }}
    group by as_of_date
),

lost as (
    select distinct
        fits.as_of_date,
        fits.learned_on
    from fits
    inner join choices on fits.fitted_on = choices.as_of_date
    where choices.replaced_scores > 0
),

-- read only where a score lost to them
heuristics as (
    select heuristics.*
    from {{ ref('score_heuristics') }} as heuristics
    inner join lost
        on heuristics.as_of_date = lost.as_of_date
        and heuristics.fitted_on = lost.learned_on
),

models as (
    select
        fitted_on,
        max(model) as lifetime_model
    from {{ ref('fit_lifetime') }}
    where model in ('bg_nbd', 'pareto_nbd')
    group by fitted_on
),

-- how far ahead the stored fit looks, whatever the variable says by now
horizons as (
    select
        fitted_on,
        cast(max(value) as integer) as next_order_days
    from {{ ref('fit_next_order') }}
    where
        feature = '(fit)'
        and metric = 'days'
    group by fitted_on
),

chosen as (
    select
        {%- for score in scores %}
        choices.{{ score.name }}_basis,
        case choices.{{ score.name }}_basis
            when 'segment mean' then heuristics.segment_mean_{{ score.heuristic }}
            when 'repeat rate' then heuristics.repeat_rate_{{ score.heuristic }}
            else {{ score.fit }}.{{ score.name }}
        end as offered_{{ score.name }},
        {%- endfor %}
        lifetime.*,
        fits.fitted_on as fit_in_use,
        models.lifetime_model,
        horizons.next_order_days
    from lifetime
    inner join fits
        on lifetime.as_of_date = fits.as_of_date
        and lifetime.fitted_on = fits.learned_on
    inner join choices on fits.fitted_on = choices.as_of_date
    left join models on lifetime.fitted_on = models.fitted_on
    left join horizons on lifetime.fitted_on = horizons.fitted_on
    {%- for relation in ['next_order', 'heuristics'] %}
    left join {{ relation }}
        on lifetime.customer_id = {{ relation }}.customer_id
        and lifetime.as_of_date = {{ relation }}.as_of_date
        and lifetime.fitted_on = {{ relation }}.fitted_on
    {%- endfor %}
),

named as (
    select
        {%- for score in scores %}
        {%- set learned = "'learned'" if score.fit == 'next_order' else 'lifetime_model' %}
        case
            when offered_{{ score.name }} is null then 'not fitted'
            when {{ score.name }}_basis = 'learned' then {{ learned }}
            when {{ score.name }}_basis = 'learned, though it lost' then concat({{ learned }}, ', though it lost')
            else {{ score.name }}_basis
        end as source_of_{{ score.name }},
        {%- endfor %}
        chosen.*
    from chosen
)

select
    customer_id,
    as_of_date,
    fit_in_use as fitted_on,
    offered_expected_orders_90d as expected_orders_90d,
    {{ no_less_than_sooner('expected_orders') }} as expected_orders_365d,
    expected_order_value,
    offered_expected_revenue_90d as expected_revenue_90d,
    {{ no_less_than_sooner('expected_revenue') }} as expected_revenue_365d,
    {{ in_proportion('expected_margin_90d', 'expected_revenue_90d') }} as expected_margin_90d,
    {{ in_proportion('expected_margin_365d', 'expected_revenue_365d') }} as expected_margin_365d,
    {{ in_proportion('lifetime_value', 'expected_revenue_365d') }} as lifetime_value,
    lifetime_value_days,
    lifetime_value_basis,
    -- who orders within the days of the next order doesn't churn in as many or more
    case
        when next_order_days <= churn_days and offered_churn_probability > 1 - offered_learned_order_probability
            then 1 - offered_learned_order_probability
        else offered_churn_probability
    end as churn_probability,
    churn_days,
    offered_learned_order_probability as next_order_probability,
    {%- for offer in ['expected_orders', 'expected_revenue'] %}
    case
        when source_of_{{ offer }}_90d = source_of_{{ offer }}_365d then source_of_{{ offer }}_90d
        else concat(source_of_{{ offer }}_90d, ' (365 days: ', source_of_{{ offer }}_365d, ')')
    end as {{ offer }}_basis,
    {%- endfor %}
    source_of_churn_probability as churn_basis,
    source_of_learned_order_probability as next_order_basis,
    expected_revenue_365d_variance,
    next_order_days
from named
