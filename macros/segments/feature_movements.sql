{#-
  How features move, as far as it is known; whatever is not listed may move either way.

  kind    sum: orders raise it and nothing lowers it
          low, high: an order makes it as low (high) as can be, and time alone takes it the other way
          gap: only an order changes it
          age: time raises it and nothing lowers it
  after   what it is after one more order, as SQL
-#}
{% macro feature_movements() %}
    {{ return({
        'lifetime_orders': {'kind': 'sum', 'after': 'coalesce(lifetime_orders, 0) + 1'},
        'orders_12m': {'kind': 'sum', 'after': 'coalesce(orders_12m, 0) + 1'},
        'frequency_score': {'kind': 'sum', 'after': 'frequency_score_after_order'},
        'monetary_score': {'kind': 'sum'},
        'monetary_12m_score': {'kind': 'sum'},
        'lifetime_revenue': {'kind': 'sum'},
        'revenue_12m': {'kind': 'sum'},
        'interpurchase_count': {'kind': 'sum'},
        'recency_score': {'kind': 'high', 'after': '5'},
        'days_since_last_order': {'kind': 'low', 'after': '0'},
        'overdue_ratio': {'kind': 'low', 'after': '0'},
        'days_between_last_orders': {'kind': 'gap', 'after': 'days_since_last_order'},
        'gap_ratio': {'kind': 'gap', 'after': 'overdue_ratio'},
        'days_since_first_order': {'kind': 'age', 'after': 'coalesce(days_since_first_order, 0)'},
        'age_years': {'kind': 'age'},
    }) }}
{% endmacro %}

{#- Features that are whole numbers: above 3 is from 4 on. -#}
{% macro is_whole_number(feature) %}
    {{ return(modules.re.match(
        '(days_(since|between|from)_\\w+|\\w+_score|lifetime_(orders|visits)|orders_12m|interpurchase_count'
        ~ '|category_breadth|(visits|views|searches|carts)_90d|age_years|household_size|children|employees)$',
        feature
    ) is not none) }}
{% endmacro %}

{#- {score: what it scores} of scores that count published cut-offs. -#}
{% macro scored_metrics() %}
    {%- set scored = {} -%}
    {%- for metric, feature in dict(rfm_metrics(), expected_revenue='expected_revenue_365d').items() -%}
        {%- do scored.update({metric ~ '_score': feature}) -%}
    {%- endfor -%}
    {{ return(scored) }}
{% endmacro %}
