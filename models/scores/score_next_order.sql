{%- set features = next_order_features_in_use() -%}
{%- set names = features | map(attribute='name') | list -%}
with

fits as (
    select distinct
        as_of_date,
        learned_on as fitted_on
    from {{ ref('fits_in_use') }}
    where learned_on is not null
),

dates as (
    select
        fits.as_of_date,
        fits.fitted_on,
        as_of_dates.is_latest
    from fits
    inner join {{ ref('as_of_dates') }} as as_of_dates on fits.as_of_date = as_of_dates.as_of_date
),

-- a fit in one row
parameters as (
    select
        fitted_on,
        {%- for name in names %}
        {%- for parameter in next_order_parameters() %}
        max(case when feature = '{{ name }}' and metric = '{{ parameter }}' then value end) as {{ name }}_{{ parameter }},
        {%- endfor %}
        {%- endfor %}
        max(case when feature = '(intercept)' then value end) as intercept
    from {{ ref('fit_next_order') }}
    group by fitted_on
),

buyers as (
    {{ next_order_buyers(features, 'dates') }}
),

valued as (
    select
        customer_id,
        as_of_date,
        fitted_on,
        {%- for feature in features %}
        cast({{ feature.value }} as double) as {{ feature.name }},
        {%- endfor %}
        is_latest
    from buyers
),

-- transformed, and held between the ends of the curve; empty where unknown
held as (
    select
        valued.*,
        {%- for feature in features %}
        {{ next_order_held(feature, 'parameters') }} as held_{{ feature.name }},
        {%- for parameter in next_order_parameters()[1:] %}
        parameters.{{ feature.name }}_{{ parameter }},
        {%- endfor %}
        {%- endfor %}
        parameters.intercept
    from valued
    inner join parameters on valued.fitted_on = parameters.fitted_on
),

contributions as (
    select
        *,
        {%- for name in names %}
        {{ next_order_contribution(name) }} as from_{{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from held
),

-- reasons are given for the latest date only: against the average customer of the fit
moved as (
    select
        *,
        {%- for name in names %}
        case when is_latest then from_{{ name }} - coalesce({{ name }}_mean_contribution, 0) end as moved_{{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from contributions
),

-- 1 for the feature that moved the score most; of equals the one that is listed first
ranked as (
    select
        *,
        {%- for name in names %}
        case when is_latest then {{ next_order_rank(name, names) }} end as rank_{{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from moved
)

select
    customer_id,
    as_of_date,
    fitted_on,
    {%- for number in range(1, 4) %}
    case
        {%- for feature in features %}
        when rank_{{ feature.name }} = {{ number }} and moved_{{ feature.name }} <> 0
            then {{ next_order_reason(feature) }}
        {%- endfor %}
    end as reason_{{ number }},
    {%- endfor %}
    1 / (1 + exp(-(intercept
        {%- for name in names %} + from_{{ name }}{% endfor %}))) as learned_order_probability
from ranked
