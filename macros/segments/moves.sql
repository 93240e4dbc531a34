{#- What is counted of the customers who make a move. -#}
{% macro move_measures() -%}
        count(*) as customers,
        sum(orders) as orders,
        sum(revenue) as revenue,
        sum(revenue_12m) as revenue_12m,
        sum(is_buyer) as buyers,
        sum(is_repeat_buyer) as repeat_buyers,
        sum(is_churned) as churned,
        sum(is_won_back) as won_back
{%- endmacro %}

{#- [{before, now}]: SQL for where a customer was and is. Overlapping segments are entered and left one by one. -#}
{% macro move_pairs(definition) %}
    {%- set name = definition.name -%}
    {%- set pairs = [] -%}
    {%- if definition.assignment == 'all_matches' -%}
        {%- for segment in definition.segments -%}
            {%- do pairs.append({
                'before': "case when " ~ contains_part(name ~ '_before', segment.name) ~ " then '" ~ segment.name ~ "' end",
                'now': "case when " ~ contains_part(name, segment.name) ~ " then '" ~ segment.name ~ "' end",
            }) -%}
        {%- endfor -%}
    {%- else -%}
        {%- do pairs.append({'before': name ~ '_before', 'now': name}) -%}
    {%- endif -%}
    {{ return(pairs) }}
{% endmacro %}

{#- Whether a text of parts between bars has a part. -#}
{% macro contains_part(text, part) -%}
    concat('|', {{ text }}, '|') like '%|{{ part }}|%'
{%- endmacro %}
