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

{#- Says that nobody is scored by frequency on the latest date, and why. -#}
{% macro warn_of_unscored_frequency() %}
    {%- if execute -%}
    {%- set unscored = 'select cutoff_1 from ' ~ this ~ " where metric = 'frequency' and distinct_cutoffs = 1"
        ~ ' and fitted_on = (select max(fitted_on) from ' ~ this ~ ')' -%}
    {%- for row in run_query(unscored).rows -%}
        {%- do exceptions.warn(
            'frequency_score is empty for all: at least three of five buyers have ' ~ '%g' | format(row[0]) ~ ' order'
            ~ ('s' if row[0] > 1) ~ ', so that cut-offs tell hardly anybody apart. Segments that ask for it have no customers. '
            ~ 'Set the variable rfm_cutoffs.frequency to score it all the same.') -%}
    {%- endfor -%}
    {%- endif -%}
{% endmacro %}
