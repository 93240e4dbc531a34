{#-
  SQL for all features and scores of customers on some dates, in one row for each customer and date. The columns are those
  that the property files describe.

  dates: a condition on as_of_date. It is put to each table before they are joined, since engines don't carry it over.
  fits: a condition on as_of_date and fitted_on that holds for one fit of each date: that of the date itself, unless
  another is given.
-#}
{% macro side_by_side(dates='true', fits='fitted_on = as_of_date') %}
{#- expectations are read together with their score -#}
{%- set read_from = {'score_expectations': 'score_value'} -%}
{#- every feature model has every customer of a date -#}
{%- set first = feature_models()[0] -%}
select
    {{ first }}.customer_id,
    {{ first }}.as_of_date,
    {%- for model in feature_models() + score_models() + learned_score_models() %}
    {%- for column in documented_columns(model) %}
    {{ read_from[model] or model }}.{{ column }},
    {%- endfor %}
    {%- endfor %}
    score_value.expected_revenue_365d_variance,
    fits.fitted_on
from (select * from {{ ref(first) }} where {{ dates }}) as {{ first }}
{%- for model in feature_models()[1:] + score_models() | reject('in', read_from) | list + learned_score_models() %}
left join (
    {%- if model in learned_score_models() %}
    select scores.*
    from (select * from {{ ref(model) }} where {{ dates }}) as scores
    inner join (select * from {{ ref('fits_in_use') }} where {{ dates }} and {{ fits }}) as fits
        on scores.as_of_date = fits.as_of_date
        and scores.fitted_on = fits.learned_on
    {%- else %}
    select * from {{ ref(model) }}
    where {{ dates }}{{ ' and ' ~ fits if model in score_models() }}
    {%- endif %}
) as {{ model }}
    on {{ first }}.customer_id = {{ model }}.customer_id
    and {{ first }}.as_of_date = {{ model }}.as_of_date
{%- endfor %}
left join (select * from {{ ref('fits_in_use') }} where {{ dates }} and {{ fits }}) as fits
    on {{ first }}.as_of_date = fits.as_of_date
{% endmacro %}
