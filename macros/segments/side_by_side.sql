{#-
  SQL for all features and scores of customers on some dates, in one row for each customer, date and fit in use. The
  columns are those that the property files describe.

  dates: a condition on as_of_date. It is put to each table before they are joined, since engines don't carry it over.
  fits: a condition on as_of_date and fitted_on; by the fits of the date itself unless another is given.
-#}
{% macro side_by_side(dates='true', fits='fitted_on = as_of_date') %}
{%- set of_the_day = score_models() | reject('equalto', 'score_expectations') | list -%}
{#- expectations are read together with their score -#}
{%- set read_from = {'score_expectations': 'score_value'} -%}
select
    customer_dates.customer_id,
    customer_dates.as_of_date,
    {%- for model in feature_models() + score_models() + learned_score_models() %}
    {%- for column in documented_columns(model) %}
    {{ read_from[model] or model }}.{{ column }},
    {%- endfor %}
    {%- endfor %}
    score_value.expected_revenue_365d_variance,
    fits_in_use.fitted_on
from (select * from {{ ref('customer_dates') }} where {{ dates }}) as customer_dates
inner join (select * from {{ ref('fits_in_use') }} where {{ dates }} and {{ fits }}) as fits_in_use
    on customer_dates.as_of_date = fits_in_use.as_of_date
{%- for model in feature_models() %}
left join (select * from {{ ref(model) }} where {{ dates }}) as {{ model }}
    on customer_dates.customer_id = {{ model }}.customer_id
    and customer_dates.as_of_date = {{ model }}.as_of_date
{%- endfor %}
{%- for model in of_the_day + learned_score_models() %}
left join (select * from {{ ref(model) }} where {{ dates }}{{ ' and ' ~ fits if model in of_the_day }}) as {{ model }}
    on customer_dates.customer_id = {{ model }}.customer_id
    and customer_dates.as_of_date = {{ model }}.as_of_date
    and fits_in_use.{{ 'fitted_on' if model in of_the_day else 'learned_on' }} = {{ model }}.fitted_on
{%- endfor %}
{% endmacro %}
