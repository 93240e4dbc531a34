{#- What is known of a customer on a date and counted of moves: {column: a type in which sums are exact}. -#}
{% macro place_measures() %}
    {{ return({
        'lifetime_orders': none,
        'lifetime_revenue': none,
        'revenue_12m': none,
        'last_order_on': none,
        'active_until': none,
        'expected_revenue_365d': 'decimal(18, 4)',
        'lifetime_value': 'decimal(18, 4)',
        'churn_probability': 'decimal(18, 9)',
        'next_order_probability': 'decimal(18, 9)',
        'attributes_valid_from': none,
    }) }}
{% endmacro %}

{#- Whether any of some segments is one of who the customer is and where. -#}
{% macro asks_for_attributes(segments) %}
    {%- set attributes = documented_columns('features_attributes') -%}
    {%- for segment in segments if segment.columns | select('in', attributes) | list -%}{{ return(true) }}{%- endfor -%}
    {{ return(false) }}
{% endmacro %}

{#- What is counted of those who make a move: {column: how}. -#}
{% macro move_measures() %}
    {{ return({
        'customers': 'count(*)',
        'orders': 'sum(orders)',
        'revenue': 'sum(revenue)',
        'revenue_12m': 'sum(revenue_12m)',
        'buyers': 'sum(is_buyer)',
        'repeat_buyers': 'sum(is_repeat_buyer)',
        'active_before': 'count(case when was_active then 1 end)',
        'churned': 'count(case when was_active and not is_active and is_past_line then 1 end)',
        'won_back': 'count(case when not was_active and is_active and is_buyer = 1 then 1 end)',
        'churned_by_refit': 'count(case when was_active and not is_active and not is_past_line then 1 end)',
        'won_back_by_refit': 'count(case when not was_active and is_active and is_buyer = 0 then 1 end)',
        'expected_revenue_365d': 'sum(expected_revenue_365d)',
        'lifetime_value': 'sum(lifetime_value)',
        'churn_probability': 'sum(churn_probability)',
        'churn_customers': 'count(churn_probability)',
        'next_order_probability': 'sum(next_order_probability)',
        'next_order_customers': 'count(next_order_probability)',
    }) }}
{% endmacro %}

{#- SQL that counts customers, and SQL that adds up what was counted. -#}
{% macro move_counts() %}
    {%- set columns = [] -%}
    {%- for measure, count in move_measures().items() -%}{%- do columns.append(count ~ ' as ' ~ measure) -%}{%- endfor -%}
    {{ return(columns | join(', ')) }}
{% endmacro %}

{% macro move_sums(relation='') %}
    {%- set columns = [] -%}
    {%- for measure in move_measures() -%}{%- do columns.append('sum(' ~ relation ~ measure ~ ') as ' ~ measure) -%}{%- endfor -%}
    {{ return(columns | join(', ')) }}
{% endmacro %}

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
  SQL for the rule by which an unchanged customer would have moved too, as `name:rule`: before is where customers were
  published, redefined where they would have been under today's definitions, replayed where under today's definitions
  and fit. Likewise of a customer of whom nothing was told before, or nothing is any more, where that is asked for.
-#}
{% macro rule_moves(definition, before='before') %}
    {%- set name = definition.name -%}
    {%- set relations = [before, 'assigned', 'redefined', 'replayed'] -%}
    {%- set whole = {} -%}
    {%- for relation in relations -%}{%- do whole.update({relation: 'coalesce(' ~ relation ~ '.' ~ name ~ ", '')"}) -%}{%- endfor -%}
    {%- set moves = [] -%}
    {%- if definition.assignment == 'all_matches' -%}
        {%- for segment in definition.segments -%}
            {%- set parts = {} -%}
            {%- for relation in relations -%}{%- do parts.update({relation: contains_part(whole[relation], segment.name)}) -%}{%- endfor -%}
            {#- most stay where they are, which is told faster of all segments together -#}
            {%- do moves.append(
                'when ' ~ whole[before] ~ ' = ' ~ whole.assigned ~ ' then null ' ~ rule_of_move(parts, before, name ~ '.' ~ segment.name, [segment])
            ) -%}
        {%- endfor -%}
    {%- else -%}
        {%- do moves.append(rule_of_move(whole, before, name, definition.segments)) -%}
    {%- endif -%}
    {{ return(moves) }}
{% endmacro %}

{% macro rule_of_move(places, before, label, segments) -%}
    {%- set cases = ['when (' ~ places[before] ~ ') = (' ~ places.assigned ~ ') then null'] -%}
    {%- if before != 'redefined' -%}
        {%- do cases.append('when (' ~ places.redefined ~ ') = (' ~ places.assigned ~ ") then '" ~ label ~ ":definition'") -%}
    {%- endif -%}
    {%- do cases.append('when (' ~ places.replayed ~ ') = (' ~ places.assigned ~ ") then '" ~ label ~ ":refit'") -%}
    {%- if asks_for_attributes(segments) -%}
        {%- do cases.append(
            'when redefined.customer_id is not null and (redefined.attributes_valid_from is null)'
            ~ " <> (assigned.attributes_valid_from is null) then '" ~ label ~ ":told'"
        ) -%}
    {%- endif -%}
    {{ return(cases | join(' ')) }}
{%- endmacro %}
