{#-
  What the next order is predicted from: the one reviewed list. docs/decisions/0013_next_order.md says why these.

  transform  log: ln(1 + x), for counts and days; log_of_typical: ln(1 + x / the median), for money; plain
  value      what it is, over columns of the models in next_order_models(); not said: the column of its name
  decimals   of the value in a reason; not said: none

  Behaviour only: who gets an offer may not hang on age, sex, income or place unless a company has thought about it.
  Few and different, so that a reason means what it says: of two features that measure the same, one may raise a
  score by what the other takes. A feature whose inputs aren't there is left out. After a change, fit anew.
-#}
{% macro next_order_features() %}
    {%- set features %}
days_since_last_order: {transform: log}
# both as if there had been one more purchase, 30 days before the first: so they mean something after a single one
days_per_purchase:
  transform: log
  value: (days_since_first_purchase + 30.0) / (interpurchase_count + 1)
  decimals: 1
purchases_missed:
  transform: log
  value: (days_since_last_order + 1) * (interpurchase_count + 1) / (days_since_first_purchase + 30.0)
  decimals: 1
orders_12m: {transform: log}
days_between_last_orders: {transform: log}
interpurchase_variation: {transform: plain, decimals: 2}
average_order_value: {transform: log_of_typical, decimals: 2}
days_since_last_visit: {transform: log}
days_visited_after_last_order:
  transform: log
  value: greatest(days_since_last_order - days_since_last_visit, 0)
days_since_cart_left: {transform: log}
    {% endset -%}
    {{ return(fromyaml(features)) }}
{% endmacro %}

{#- The models whose columns features may use: what customers did, not who they are. -#}
{% macro next_order_models() %}
    {{ return(['features_rfm', 'features_purchasing', 'features_browsing']) }}
{% endmacro %}

{#- The features that can be told from the inputs that are there: {name, transform, value, decimals, columns}. -#}
{% macro next_order_features_in_use() %}
    {%- set columns = {} -%}
    {%- for model_name in next_order_models() -%}{%- do columns.update(documented_columns(model_name)) -%}{%- endfor -%}
    {%- set features = [] -%}
    {%- set mapped = {} -%}
    {%- for name, written in next_order_features().items() -%}
        {%- set defaults = {'name': name, 'value': name, 'decimals': 0} -%}
        {%- set feature = dict(defaults, **written) -%}
        {%- do feature.update({'columns': columns_in(feature.value, columns)}) -%}
        {%- if not inputs_lacking(feature.columns, columns, mapped) -%}{%- do features.append(feature) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(features) }}
{% endmacro %}

{#- Buyers on some dates with all columns that the features use. dates: a relation with as_of_date. -#}
{% macro next_order_buyers(features, dates) %}
    {%- set used = features | map(attribute='columns') | sum(start=[]) | unique | list -%}
    {%- set relations = {} -%}
    {%- for model_name in next_order_models() -%}{%- do relations.update({model_name: ref(model_name)}) -%}{%- endfor -%}
    select
        features_rfm.customer_id,
        {%- for model_name in next_order_models() %}
        {%- for column in documented_columns(model_name) if column in used %}
        {{ model_name }}.{{ column }},
        {%- endfor %}
        {%- endfor %}
        dates.*
    from {{ relations.features_rfm }} as features_rfm
    inner join {{ dates }} as dates on features_rfm.as_of_date = dates.as_of_date
    {%- for model_name in next_order_models()[1:] if documented_columns(model_name) | select('in', used) | list %}
    left join {{ relations[model_name] }} as {{ model_name }}
        on features_rfm.customer_id = {{ model_name }}.customer_id
        and features_rfm.as_of_date = {{ model_name }}.as_of_date
    {%- endfor %}
    where features_rfm.lifetime_orders > 0
{%- endmacro %}

{#- The parameters of a feature in fit_next_order. -#}
{% macro next_order_parameters() %}
    {{ return([
        'unit', 'low', 'high', 'knot_1', 'knot_2', 'knot_3',
        'coef_linear', 'coef_1', 'coef_2', 'coef_3', 'coef_unknown', 'mean_contribution',
    ]) }}
{% endmacro %}

{#- What a feature's value is after its transformation, held between the two percentiles; null where unknown. -#}
{% macro next_order_held(feature, parameters) -%}
    {%- set value = feature.name -%}
    {%- if feature.transform == 'log' -%}{%- set value = 'ln(1 + greatest(' ~ value ~ ', 0))' -%}
    {%- elif feature.transform == 'log_of_typical' -%}
        {%- set value = 'ln(1 + greatest(' ~ value ~ ', 0) / ' ~ parameters ~ '.' ~ feature.name ~ '_unit)' -%}
    {%- endif -%}
    case
            when {{ feature.name }} is not null
                then least(
                    greatest({{ value }}, {{ parameters }}.{{ feature.name }}_low),
                    {{ parameters }}.{{ feature.name }}_high
                )
        end
{%- endmacro %}

{#- What a feature adds to the log-odds: a line that bends at the knots. -#}
{% macro next_order_contribution(name) -%}
    coalesce(
            case
                when held_{{ name }} is null then {{ name }}_coef_unknown
                else
                    {{ name }}_coef_linear * (held_{{ name }} - {{ name }}_low)
                    {%- for number in range(1, 4) %}
                    + {{ name }}_coef_{{ number }} * greatest(held_{{ name }} - {{ name }}_knot_{{ number }}, 0)
                    {%- endfor %}
            end, 0
        )
{%- endmacro %}

{#- A reason as text: the feature, the customer's own value, and whether it raises (+) or lowers (-) the score. -#}
{% macro next_order_reason(feature) -%}
    concat(
            '{{ feature.name }} = ',
            coalesce(cast(try_cast({{ feature.name }} as decimal(38, {{ feature.decimals }})) as string), 'unknown'),
            case when moved_{{ feature.name }} > 0 then ' (+)' else ' (-)' end
        )
{%- endmacro %}

{#- One more than the features that moved the score more than this one. -#}
{% macro next_order_rank(name, names) -%}
    1
        {%- for other in names if other != name %}
        + case
            when abs(moved_{{ other }}) {{ '>=' if names.index(other) < names.index(name) else '>' }} abs(moved_{{ name }}) then 1
            else 0
        end
        {%- endfor %}
{%- endmacro %}
