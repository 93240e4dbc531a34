{#- {metric that is scored: the feature it is} -#}
{% macro rfm_metrics() %}
    {{ return({
        'recency': 'days_since_last_order',
        'frequency': 'lifetime_orders',
        'monetary': 'lifetime_revenue',
        'monetary_12m': 'revenue_12m',
    }) }}
{% endmacro %}

{#- 1 to 5 from published cut-offs: a point for each cut-off that is passed, so equal values score equally. -#}
{% macro rfm_score(value, cutoffs, low_is_good=false) -%}
    {{ '5' if low_is_good else '1' }}
    {%- for number in range(1, 5) %}
        {{ '-' if low_is_good else '+' }} case when {{ value }} > {{ cutoffs }}.cutoff_{{ number }} then 1 else 0 end
    {%- endfor %}
{%- endmacro %}
