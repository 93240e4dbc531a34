{#-
  The columns that customers are clustered by: the one reviewed list. docs/decisions/clusters.md says why these.

  model      the features_ model that has the column
  transform  log: amounts; log1p: counts and days; plain: shares
  better     high or low, where one of them means a more valuable customer: the first fit numbers its clusters by it
  high, low  what a cluster is called whose customers have more or less of it than others: {en: …, ko: …}
-#}
{% macro cluster_columns() %}
    {%- set columns %}
days_since_last_order:
  model: features_rfm
  transform: log1p
  better: low
  high: {en: not recent, ko: 최근 뜸함}
  low: {en: recent, ko: 최근 구매}
lifetime_orders:
  model: features_rfm
  transform: log1p
  better: high
  high: {en: many orders, ko: 주문 많음}
  low: {en: few orders, ko: 주문 적음}
average_order_value:
  model: features_rfm
  transform: log
  better: high
  high: {en: large orders, ko: 객단가 높음}
  low: {en: small orders, ko: 객단가 낮음}
discount_share:
  model: features_rfm
  transform: plain
  high: {en: on discount, ko: 할인 구매}
  low: {en: full price, ko: 정가 구매}
visits_90d:
  model: features_browsing
  transform: log1p
  high: {en: frequent visits, ko: 방문 잦음}
  low: {en: few visits, ko: 방문 드묾}
    {% endset -%}
    {{ return(fromyaml(columns)) }}
{% endmacro %}

{#- As many clusters as a fit can have: the largest of NUMBERS in clusters/selection.py. -#}
{% macro cluster_slots() %}{{ return(range(1, 9)) }}{% endmacro %}

{#- A parameter of a fit from rows that are grouped by fit; slot: the place of a cluster among those of its fit. -#}
{% macro cluster_parameter(section, metric, column='(all)', slot=none) -%}
    max(
        case
            when
                section = '{{ section }}' and metric = '{{ metric }}' and column_name = '{{ column }}'
                {%- if slot %} and slot = {{ slot }}{% endif %}
                then value
        end
    )
{%- endmacro %}

{#- Buyers with these columns as numbers. -#}
{% macro cluster_buyers() -%}
select
    {%- for name, column in cluster_columns().items() %}
    cast({{ column.model }}.{{ name }} as double) as {{ name }},
    {%- endfor %}
    features_rfm.customer_id,
    features_rfm.as_of_date
from (select * from {{ ref('features_rfm') }} where lifetime_orders > 0) as features_rfm
{%- for feature_model in cluster_columns().values() | map(attribute='model') | unique | reject('equalto', 'features_rfm') %}
inner join {{ ref(feature_model) }} as {{ feature_model }}
    on features_rfm.customer_id = {{ feature_model }}.customer_id
    and features_rfm.as_of_date = {{ feature_model }}.as_of_date
{%- endfor %}
{%- endmacro %}
