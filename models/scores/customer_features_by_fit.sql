{{ config(materialized='view') }}

-- one row for each customer, as-of date and fit in use; the columns are those that the property files describe
select
    customer_dates.customer_id,
    customer_dates.as_of_date,
    {%- for model in feature_models() + score_models() %}
    {%- for column in documented_columns(model) %}
    {{ model }}.{{ column }},
    {%- endfor %}
    {%- endfor %}
    fits.fitted_on
from {{ ref('customer_dates') }} as customer_dates
inner join {{ ref('fits_in_use') }} as fits on customer_dates.as_of_date = fits.as_of_date
{%- for model in feature_models() + score_models() %}
left join {{ ref(model) }} as {{ model }}
    on customer_dates.customer_id = {{ model }}.customer_id
    and customer_dates.as_of_date = {{ model }}.as_of_date
    {%- if model in score_models() %}
    and fits.fitted_on = {{ model }}.fitted_on
    {%- endif %}
{%- endfor %}
