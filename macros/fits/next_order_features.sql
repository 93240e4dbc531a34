{#-
  What the next order is predicted from: the one reviewed list. docs/decisions/lifetime_value_and_next_order.md says
  why these.

  transform  log: ln(1 + x), for counts and days; log_of_typical: ln(1 + x / the median), for money; plain
  value      what it is, over columns of the models in next_order_models(); not said: the column of features_rfm
  says       what the value is, in a reason
  decimals   of the value in a reason; not said: none

  Behaviour only: who gets an offer may not hang on age, sex, income or place unless a company has thought about it.
  Few and different, so that a reason means what it says: of two features that measure the same, one may raise a
  score by what the other takes. A feature whose inputs aren't there is left out. After a change, fit anew.
-#}
{% macro next_order_features() %}
    {%- set features %}
days_since_last_order: {transform: log, says: days since the last order}
# both as if there had been one more purchase, 30 days before the first: so they mean something after a single one
days_per_purchase:
  transform: log
  says: days from one purchase to the next
  value: >-
    (features_rfm.days_since_first_purchase + 30) / cast(features_rfm.interpurchase_count + 1 as double)
purchases_missed:
  transform: log
  says: purchases missed
  value: >-
    (features_rfm.days_since_last_order + 1) * (features_rfm.interpurchase_count + 1)
    / cast(features_rfm.days_since_first_purchase + 30 as double)
  decimals: 1
orders_12m: {transform: log, says: orders in 12 months}
days_between_last_orders: {transform: log, says: days between the last two orders}
interpurchase_variation: {transform: plain, says: variation of the time between purchases, decimals: 2}
average_order_value: {transform: log_of_typical, says: average order value, decimals: 2}
days_since_last_visit: {transform: log, says: days since the last visit, value: features_browsing.days_since_last_visit}
days_visited_after_last_order:
  transform: log
  says: days from the last order to the last visit
  value: >-
    case
    when features_browsing.days_since_last_visit is not null
    then greatest(features_rfm.days_since_last_order - features_browsing.days_since_last_visit, 0)
    end
days_since_cart_left: {transform: log, says: days since a cart was left, value: features_browsing.days_since_cart_left}
    {% endset -%}
    {{ return(fromyaml(features)) }}
{% endmacro %}

{#- The models whose columns features may use: what customers did, not who they are. features_rfm comes first. -#}
{% macro next_order_models() %}
    {{ return(['features_rfm', 'features_purchasing', 'features_browsing']) }}
{% endmacro %}

{#- The features that can be told from the inputs that are there: [{name, transform, says, value, decimals}]. -#}
{% macro next_order_features_in_use() %}
    {%- set columns = {} -%}
    {%- for model_name in next_order_models() -%}{%- do columns.update(documented_columns(model_name)) -%}{%- endfor -%}
    {%- set features = [] -%}
    {%- for name, written in next_order_features().items() -%}
        {%- set feature = dict({'name': name, 'value': 'features_rfm.' ~ name, 'decimals': 0}, **written) -%}
        {%- if not inputs_lacking(columns_in(feature.value, columns), columns) -%}
            {%- do features.append(feature) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(features) }}
{% endmacro %}

{#- The values of the features, as columns to select. -#}
{% macro next_order_values(features) -%}
    {%- for feature in features -%}
    cast({{ feature.value }} as double) as {{ feature.name }}
    {{- ',\n        ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- Joins the models that the features use to features_rfm. -#}
{% macro next_order_joins(features) -%}
    {%- set values = features | map(attribute='value') | join(' ') -%}
    {%- for model_name in next_order_models()[1:] if model_name ~ '.' in values -%}
    left join {{ ref(model_name) }} as {{ model_name }}
        on features_rfm.customer_id = {{ model_name }}.customer_id
        and features_rfm.as_of_date = {{ model_name }}.as_of_date
    {% endfor -%}
{%- endmacro %}
