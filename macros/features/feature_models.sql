{#- The models whose documented columns make up customer_features: a new features_ model is added here. -#}
{% macro feature_models() %}
    {{ return([
        'features_rfm',
        'features_purchasing',
        'features_browsing',
        'features_attributes',
        'features_reach',
    ] + (['features_defined'] if defined_features() else [])) }}
{% endmacro %}

{#- Scores from what is fitted or chosen at every as-of date: cut-offs, rhythms, and which expectations are offered. -#}
{% macro score_models() %}
    {{ return(['score_rfm', 'score_rhythm', 'score_expectations', 'score_value']) }}
{% endmacro %}

{#- Scores from models that are fitted at fit dates. -#}
{% macro learned_score_models() %}
    {{ return(['score_cluster']) }}
{% endmacro %}
