{#-
  {fit: {feature that enters it: the expression it is}} of everything that is learned at fit dates. Purchases of the
  lifetime models per day, and days as shares of the tenure: days as such grow while time passes, which is no drift.
-#}
{% macro drift_features() %}
    {%- set fits = {
        'lifetime': {
            'repeat_purchases_a_day': 'interpurchase_count / nullif(cast(days_since_first_purchase as double), 0)',
            'share_of_tenure_to_last_purchase':
                'days_from_first_to_last_purchase / nullif(cast(days_since_first_purchase as double), 0)',
            'average_order_value': 'average_order_value',
        },
        'clusters': {},
        'next_order': {},
    } -%}
    {%- for column in cluster_columns() -%}
        {%- do fits.clusters.update({column: column}) -%}
    {%- endfor -%}
    {%- for feature, definition in next_order_features().items() -%}
        {%- do fits.next_order.update({feature: definition['value'] or feature}) -%}
    {%- endfor -%}
    {{ return(fits) }}
{% endmacro %}

{#- The models whose columns these expressions use. -#}
{% macro drift_models() %}
    {%- set of_clusters = cluster_columns().values() | map(attribute='model') | list -%}
    {{ return((['features_rfm'] + of_clusters + next_order_models()) | unique | list) }}
{% endmacro %}
