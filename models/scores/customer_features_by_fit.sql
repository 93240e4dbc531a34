{{ config(materialized='view') }}

-- one row for each customer, as-of date and fit in use; the columns are those that the property files describe
{%- set fitted_on = {} %}
{%- for model in score_models() %}{% do fitted_on.update({model: 'fits.fitted_on'}) %}{% endfor %}
{%- for model in learned_score_models() %}{% do fitted_on.update({model: 'fits.learned_on'}) %}{% endfor %}
{%- set models = feature_models() + score_models() + learned_score_models() %}

select
    customer_dates.customer_id,
    customer_dates.as_of_date,
    {%- for model in models %}
    {%- for column in documented_columns(model) %}
    {{ model }}.{{ column }},
    {%- endfor %}
    {%- endfor %}
    fits.fitted_on
from {{ ref('customer_dates') }} as customer_dates
inner join {{ ref('fits_in_use') }} as fits on customer_dates.as_of_date = fits.as_of_date
{%- for model in models %}
left join {{ ref(model) }} as {{ model }}
    on customer_dates.customer_id = {{ model }}.customer_id
    and customer_dates.as_of_date = {{ model }}.as_of_date
    {%- if model in fitted_on %}
    and {{ fitted_on[model] }} = {{ model }}.fitted_on
    {%- endif %}
{%- endfor %}
