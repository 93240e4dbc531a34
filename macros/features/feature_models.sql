{#- The models whose documented columns make up customer_features: a new features_ model is added here. -#}
{% macro feature_models() %}
    {{ return([
        'features_rfm',
        'features_purchasing',
        'features_browsing',
        'features_demographics',
        'features_geography',
        'features_reach',
    ]) }}
{% endmacro %}

{% macro score_models() %}
    {{ return(['score_rfm', 'score_rhythm']) }}
{% endmacro %}
