{{ config(materialized='view') }}

-- one row for each customer, as-of date and fit in use; the columns are those that the property files describe
{%- set fitted_on = {} %}
{%- for model in score_models() %}{% do fitted_on.update({model: 'fits.fitted_on'}) %}{% endfor %}
{%- for model in learned_score_models() %}{% do fitted_on.update({model: 'fits.learned_on'}) %}{% endfor %}
{%- set read_from = {'score_expectations': 'score_value'} %}

select
    customer_dates.customer_id,
    customer_dates.as_of_date,
    {%- for model in feature_models() + score_models() + learned_score_models() %}
    {%- for column in documented_columns(model) %}
    {{ read_from[model] or model }}.{{ column }},
    {%- endfor %}
    {%- endfor %}
    score_value.expected_revenue_365d_variance,
    fits.fitted_on
from {{ ref('customer_dates') }} as customer_dates
-- features first: they are the same under each fit
{%- for model in feature_models() %}
left join {{ ref(model) }} as {{ model }}
    on customer_dates.customer_id = {{ model }}.customer_id -- noqa: LT02
    and customer_dates.as_of_date = {{ model }}.as_of_date -- noqa: LT02
{%- endfor %}
inner join {{ ref('fits_in_use') }} as fits on customer_dates.as_of_date = fits.as_of_date
{%- for model in fitted_on if model not in read_from %}
left join {{ ref(model) }} as {{ model }}
    on customer_dates.customer_id = {{ model }}.customer_id
    and customer_dates.as_of_date = {{ model }}.as_of_date
    and {{ fitted_on[model] }} = {{ model }}.fitted_on
{%- endfor %}
