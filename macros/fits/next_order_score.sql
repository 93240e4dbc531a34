{#- fit_next_order applied: what each feature adds to the log-odds of an order, as an analyst can read it. -#}

{#- The parameters of a feature, each with what stands for it in a fit that doesn't know the feature. -#}
{% macro next_order_parameters() %}
    {{ return({
        'unit': 1, 'low': 0, 'high': 0, 'knot_1': 0, 'knot_2': 0, 'knot_3': 0,
        'coef_linear': 0, 'coef_1': 0, 'coef_2': 0, 'coef_3': 0, 'coef_unknown': 0, 'mean_contribution': 0,
    }) }}
{% endmacro %}

{#-
  CTEs, the last of them `contributions`: one row per buyer, date and fit with from_<feature> for each feature, the
  feature itself, mean_<feature> of the training rows, and the intercept, which is null where there is no fit.
  dates: a CTE with as_of_date and fitted_on.
-#}
{% macro next_order_contributions(features, dates) -%}
-- a fit in one row
parameters as (
    select
        fitted_on,
        {%- for feature in features %}
        {%- for parameter, otherwise in next_order_parameters().items() %}
        coalesce(
            max(case when feature = '{{ feature.name }}' and metric = '{{ parameter }}' then value end), {{ otherwise }}
        ) as {{ parameter }}_{{ feature.name }},
        {%- endfor %}
        {%- endfor %}
        max(case when feature = '(intercept)' then value end) as intercept
    from {{ ref('fit_next_order') }}
    group by fitted_on
),

buyers as (
    select
        features_rfm.customer_id,
        {{ dates }}.as_of_date,
        {{ dates }}.fitted_on,
        {{ next_order_values(features) }}
    from {{ ref('features_rfm') }} as features_rfm
    inner join {{ dates }} on features_rfm.as_of_date = {{ dates }}.as_of_date
    {{ next_order_joins(features) }}
    where features_rfm.lifetime_orders > 0
),

-- transformed, and held between the ends of the curve; null where unknown
held as (
    select
        buyers.*,
        {%- for feature in features %}
        case when {{ feature.name }} is not null then {{ next_order_held(feature) }} end as held_{{ feature.name }},
        {%- endfor %}
        {%- for parameter in next_order_parameters() %}
        {%- for feature in features %}
        parameters.{{ parameter }}_{{ feature.name }},
        {%- endfor %}
        {%- endfor %}
        parameters.intercept
    from buyers
    inner join parameters on buyers.fitted_on = parameters.fitted_on
),

-- lines that bend at the knots
contributions as (
    select
        *,
        {%- for feature in features %}
        {%- set name = feature.name %}
        case
            when held_{{ name }} is null then coef_unknown_{{ name }}
            else
                coef_linear_{{ name }} * (held_{{ name }} - low_{{ name }})
                {%- for knot in range(1, 4) %}
                + coef_{{ knot }}_{{ name }} * greatest(held_{{ name }} - knot_{{ knot }}_{{ name }}, 0)
                {%- endfor %}
        end as from_{{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from held
)
{%- endmacro %}

{#- A feature's value after its transformation, between the two percentiles. -#}
{% macro next_order_held(feature) -%}
    {%- set name = feature.name -%}
    {%- if feature.transform == 'log' -%}{%- set value = 'ln(1 + greatest(' ~ name ~ ', 0))' -%}
    {%- elif feature.transform == 'log_of_typical' -%}
        {%- set value = 'ln(1 + greatest(' ~ name ~ ', 0) / parameters.unit_' ~ name ~ ')' -%}
    {%- else -%}{%- set value = name -%}
    {%- endif -%}
    least(greatest({{ value }}, parameters.low_{{ name }}), parameters.high_{{ name }})
{%- endmacro %}

{#- One more than the features that moved the score more than this one; of equals, those listed first. -#}
{% macro next_order_rank(name, names) -%}
    1
        {%- for other in names if other != name %}
        + case
            when abs(moved_{{ other }}) {{ '>=' if names.index(other) < names.index(name) else '>' }} abs(moved_{{ name }}) then 1
            else 0
        end
        {%- endfor %}
{%- endmacro %}

{#- A reason as people read it: what is known of the customer, and whether it makes an order more or less likely. -#}
{% macro next_order_reason(feature) -%}
    concat(
                '{{ feature.says }}: ',
                coalesce(cast(try_cast({{ feature.name }} as decimal(18, {{ feature.decimals }})) as string), 'unknown'),
                case when moved_{{ feature.name }} > 0 then ' (more likely)' else ' (less likely)' end
            )
{%- endmacro %}
