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

{#- Says which scores the latest date has for nobody, and why. -#}
{% macro warn_of_unscored_metrics() %}
    {%- if execute -%}
    {%- set columns = rfm_metrics() -%}
    {%- set unscored = 'select metric, cutoff_1 from ' ~ this ~ ' where distinct_cutoffs = 1'
        ~ ' and fitted_on = (select max(fitted_on) from ' ~ this ~ ') order by 1' -%}
    {%- for metric, value in run_query(unscored).rows -%}
        {%- do exceptions.warn(
            metric ~ '_score is empty for all: at least three of five buyers have ' ~ columns[metric] ~ ' ' ~ '%g' | format(value)
            ~ ', so that cut-offs tell hardly anybody apart. Segments that ask for it have no customers. '
            ~ 'Set the variable rfm_cutoffs.' ~ metric ~ ' to score it all the same.') -%}
    {%- endfor -%}
    {%- endif -%}
{% endmacro %}
