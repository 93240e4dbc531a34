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

{#-
  [{before, now, rule}]: SQL for where a customer was and is, and what `moved_by_rule` calls it. Overlapping segments
  are entered and left one by one.
-#}
{% macro move_pairs(definition) %}
    {%- set name = definition.name -%}
    {%- set pairs = [] -%}
    {%- if definition.assignment == 'all_matches' -%}
        {%- for segment in definition.segments -%}
            {%- do pairs.append({
                'before': "case when " ~ contains_part(name ~ '_before', segment.name) ~ " then '" ~ segment.name ~ "' end",
                'now': "case when " ~ contains_part(name, segment.name) ~ " then '" ~ segment.name ~ "' end",
                'rule': name ~ '.' ~ segment.name,
            }) -%}
        {%- endfor -%}
    {%- else -%}
        {%- do pairs.append({'before': name ~ '_before', 'now': name, 'rule': name}) -%}
    {%- endif -%}
    {{ return(pairs) }}
{% endmacro %}

{#- Whether a text of parts between bars has a part. -#}
{% macro contains_part(text, part) -%}
    concat('|', {{ text }}, '|') like '%|{{ part }}|%'
{%- endmacro %}

{#- [(name, SQL)]: whether a customer moved, and would have moved unchanged too: before -> now = replayed. -#}
{% macro rule_moves(definition) %}
    {%- set name = definition.name -%}
    {%- set moves = [] -%}
    {%- if definition.assignment == 'all_matches' -%}
        {%- for segment in definition.segments -%}
            {%- set was = 'coalesce(' ~ contains_part('before.' ~ name, segment.name) ~ ', false)' -%}
            {%- set is = 'coalesce(' ~ contains_part('published.' ~ name, segment.name) ~ ', false)' -%}
            {%- set would_be = 'coalesce(' ~ contains_part('replayed.' ~ name, segment.name) ~ ', false)' -%}
            {%- do moves.append((name ~ '.' ~ segment.name, was ~ ' <> ' ~ is ~ ' and ' ~ would_be ~ ' = ' ~ is)) -%}
        {%- endfor -%}
    {%- else -%}
        {%- do moves.append((
            name,
            'before.' ~ name ~ ' is distinct from published.' ~ name
            ~ ' and replayed.' ~ name ~ ' is not distinct from published.' ~ name
        )) -%}
    {%- endif -%}
    {{ return(moves) }}
{% endmacro %}
