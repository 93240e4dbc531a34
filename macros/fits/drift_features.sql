{#- {fit: {feature that enters it: the model that has the feature}} of everything that is learned at fit dates. -#}
{% macro drift_features() %}
    {%- set fits = {
        'lifetime': {
            'interpurchase_count': 'features_rfm',
            'days_from_first_to_last_purchase': 'features_rfm',
            'days_since_first_purchase': 'features_rfm',
            'average_order_value': 'features_rfm',
        },
        'clusters': {},
        'next_order': {},
        'outcome_rates': {'days_since_last_order': 'features_rfm', 'lifetime_orders': 'features_rfm'},
    } -%}
    {%- for column, definition in cluster_columns().items() -%}
        {%- do fits.clusters.update({column: definition.model}) -%}
    {%- endfor -%}
    {%- for column, definition in next_order_features().items() -%}
        {%- do fits.next_order.update({column: definition.model}) -%}
    {%- endfor -%}
    {{ return(fits) }}
{% endmacro %}
