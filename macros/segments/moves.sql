{#- What is counted of the customers who make a move. -#}
{% macro move_measures() -%}
        count(*) as customers,
        sum(orders) as orders,
        sum(revenue) as revenue,
        sum(revenue_12m) as revenue_12m,
        sum(is_buyer) as buyers,
        sum(is_repeat_buyer) as repeat_buyers,
        sum(is_churned) as churned,
        sum(is_won_back) as won_back,
        sum(expected_revenue_365d) as expected_revenue_365d,
        sum(lifetime_value) as lifetime_value,
        sum(churn_probability) as churn_probability,
        count(churn_probability) as churn_customers,
        sum(next_order_probability) as next_order_probability,
        count(next_order_probability) as next_order_customers
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
    {{ dbt.position("'|" ~ part ~ "|'", "concat('|', " ~ text ~ ", '|')") }} > 0
{%- endmacro %}

{#-
  SQL for the rule by which an unchanged customer would have moved too, as `name:rule`: redefined is where customers
  would have been before under today's definitions, replayed where under today's definitions and fit.
-#}
{% macro rule_moves(definition) %}
    {%- set name = definition.name -%}
    {%- set moves = [] -%}
    {%- set placements = [] -%}
    {%- if definition.assignment == 'all_matches' -%}
        {%- for segment in definition.segments -%}
            {%- set placed = {} -%}
            {%- for relation in ['before', 'published', 'redefined', 'replayed'] -%}
                {%- do placed.update({relation: 'coalesce(' ~ contains_part(relation ~ '.' ~ name, segment.name) ~ ', false)'}) -%}
            {%- endfor -%}
            {%- do placements.append((name ~ '.' ~ segment.name, placed)) -%}
        {%- endfor -%}
    {%- else -%}
        {%- set placed = {} -%}
        {%- for relation in ['before', 'published', 'redefined', 'replayed'] -%}
            {%- do placed.update({relation: 'coalesce(' ~ relation ~ '.' ~ name ~ ", '')"}) -%}
        {%- endfor -%}
        {%- do placements.append((name, placed)) -%}
    {%- endif -%}
    {%- for label, placed in placements -%}
        {%- do moves.append(
            'when ' ~ placed.before ~ ' = ' ~ placed.published ~ ' then null'
            ~ ' when ' ~ placed.redefined ~ ' = ' ~ placed.published ~ " then '" ~ label ~ ":definition'"
            ~ ' when ' ~ placed.replayed ~ ' = ' ~ placed.published ~ " then '" ~ label ~ ":refit'"
        ) -%}
    {%- endfor -%}
    {{ return(moves) }}
{% endmacro %}
