{#-
  Ways into a segment: alternatives of conditions.sql, each of which is enough to be in it. Where the first match
  decides, a way also keeps out of the segments that come earlier.
-#}

{#- The definitions whose segments have an order. -#}
{% macro ordered_definitions() %}
    {%- set ordered = [] -%}
    {%- for definition in published_definitions() if definition.assignment == 'first_match' -%}
        {%- set ranks = ranked_segments(definition) | map(attribute='rank') | select('defined') | unique | list -%}
        {%- if ranks | length > 1 -%}{%- do ordered.append(definition) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(ordered) }}
{% endmacro %}

{#- The segments that a customer can be in, with a rank. -#}
{% macro ranked_segments(definition) %}
    {%- set segments = segments_in_use(definition) -%}
    {%- for segment in definition.segments if segment.name == definition.otherwise -%}
        {%- do segments.append(segment) -%}
    {%- endfor -%}
    {{ return(segments) }}
{% endmacro %}

{#-
  [{limits, others, kept_out}] for a segment. kept_out is what keeps a customer out of a better segment that comes
  earlier: it must be true already, since nobody is asked to keep out of a better one. No more than 60 ways are
  followed: each is enough, but a shorter one could be missed where conditions have very many alternatives.
-#}
{% macro ways_into(definition, segment) %}
    {%- set ways = namespace(found=[]) -%}
    {%- for alternative in condition_alternatives(segment.when or '', definition.population or '') -%}
        {%- set way = together(alternative, {'limits': {}, 'others': []}) -%}
        {%- if not is_impossible(way) -%}{%- do ways.found.append(way) -%}{%- endif -%}
    {%- endfor -%}
    {%- set earlier = namespace(done=false) -%}
    {%- for other in segments_in_use(definition) -%}
        {%- if other.name == segment.name -%}{%- set earlier.done = true -%}{%- endif -%}
        {%- for alternative in condition_alternatives(other.when) if not earlier.done and not is_impossible(alternative) -%}
            {%- set ways.found = ways_around(ways.found, alternative, other.rank > segment.rank) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(ways.found) }}
{% endmacro %}

{#- The ways on which an alternative of another segment doesn't hold. -#}
{% macro ways_around(ways, alternative, is_better) %}
    {%- set around = [] -%}
    {%- for way in ways -%}
        {%- if is_impossible(together(way, alternative)) -%}
            {%- do around.append(way) -%}
        {%- else -%}
            {%- for option in opposites(alternative) -%}
                {%- set narrower = together(way, option) -%}
                {%- if is_better -%}{%- do narrower.kept_out.append(option) -%}{%- endif -%}
                {%- if not is_impossible(narrower) -%}{%- do around.append(narrower) -%}{%- endif -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {#- a way that asks for more than another one is none -#}
    {%- set needed = [] -%}
    {%- for way in around -%}
        {%- if not asks_more(way, needed + around[loop.index:]) -%}{%- do needed.append(way) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(needed[:60]) }}
{% endmacro %}

{#- Whether who goes a way goes one of some others too. -#}
{% macro asks_more(way, others) %}
    {%- for other in others -%}
        {%- if is_within(way, other) and other.kept_out | reject('in', way.kept_out) | list == [] -%}{{ return(true) }}{%- endif -%}
    {%- endfor -%}
    {{ return(false) }}
{% endmacro %}

{#- What holds if both hold. -#}
{% macro together(one, other) %}
    {%- set limits = dict(one.limits) -%}
    {%- for feature, limit in other.limits.items() -%}
        {%- do limits.update({feature: limits_together(limits[feature], limit) if feature in limits else limit}) -%}
    {%- endfor -%}
    {%- for feature, limit in limits.items() -%}
        {%- do limits.update({feature: tidy_limit(feature, limit)}) -%}
    {%- endfor -%}
    {{ return({
        'limits': limits,
        'others': (one.others + other.others) | reject('equalto', 'true') | unique(case_sensitive=true) | list,
        'kept_out': one.get('kept_out', []) + other.get('kept_out', []),
    }) }}
{% endmacro %}

{% macro limits_together(one, other) %}
    {%- set least = [one.least, other.least] | select | list -%}
    {%- set most = [one.most, other.most] | select | list -%}
    {%- set values = one['values'] -%}
    {%- if values is none -%}
        {%- set values = other['values'] -%}
    {%- elif other['values'] is not none -%}
        {%- set values = values | select('in', other['values']) | list -%}
    {%- endif -%}
    {{ return({
        'least': least | max if least else none,
        'most': most | min if most else none,
        'values': values,
        'not': (one['not'] + other['not']) | unique(case_sensitive=true) | list,
        'null': (one['null'] + other['null']) | unique | list,
    }) }}
{% endmacro %}

{#-
  Whole numbers above 3 are those from 4 on, none is below 0, and scores are 1 to 5. What no value can be may still be
  unknown, if that is allowed.
-#}
{% macro tidy_limit(feature, limit) %}
    {%- set tidy = dict(limit) -%}
    {%- if is_whole_number(feature) -%}
        {%- if tidy.least -%}
            {%- set number = tidy.least[0] -%}
            {%- do tidy.update({'least': (number + 1 if tidy.least[1] and number == number | int else number | round(0, 'ceil'), false)}) -%}
        {%- endif -%}
        {%- if tidy.most -%}
            {%- set number = tidy.most[0] -%}
            {%- do tidy.update({'most': (number - 1 if not tidy.most[1] and number == number | int else number | round(0, 'floor'), true)}) -%}
        {%- endif -%}
        {%- set is_score = feature.endswith('_score') -%}
        {%- if (tidy.most and tidy.most[0] < (1 if is_score else 0)) or (tidy.least and is_score and tidy.least[0] > 5) -%}
            {%- do tidy.update({'values': []}) -%}
        {%- endif -%}
    {%- endif -%}
    {%- if tidy['values'] is not none and (tidy.least or tidy.most or tidy['not']) and allowed_values(tidy) -%}
        {%- do tidy.update({'values': allowed_values(tidy), 'least': none, 'most': none, 'not': []}) -%}
    {%- endif -%}
    {%- if allowed_values(tidy) == [] and false not in tidy['null'] -%}
        {%- do tidy.update({'least': none, 'most': none, 'values': none, 'not': [], 'null': [true]}) -%}
    {%- endif -%}
    {{ return(tidy) }}
{% endmacro %}

{#- The ways in which an alternative can fail to hold, one for each comparison: false or, unless it asks for null, unknown. -#}
{% macro opposites(alternative) %}
    {%- set options = [] -%}
    {%- for feature, limit in alternative.limits.items() -%}
        {%- set changes = [] -%}
        {%- if limit.least -%}{%- do changes.append({'most': (limit.least[0], limit.least[1])}) -%}{%- endif -%}
        {%- if limit.most -%}{%- do changes.append({'least': (limit.most[0], limit.most[1])}) -%}{%- endif -%}
        {%- if limit['values'] is not none and limit['values'] | length == 1 and limit['values'][0] is number -%}
            {%- do changes.append({'most': (limit['values'][0], false)}) -%}
            {%- do changes.append({'least': (limit['values'][0], true)}) -%}
        {%- elif limit['values'] is not none -%}
            {%- do changes.append({'not': limit['values']}) -%}
        {%- endif -%}
        {%- for value in limit['not'] -%}{%- do changes.append({'values': [value]}) -%}{%- endfor -%}
        {%- if true in limit['null'] -%}
            {%- do changes.append({'null': [false]}) -%}
        {%- elif not changes -%}
            {%- do changes.append({'null': [true]}) -%}
        {%- endif -%}
        {%- for change in changes -%}
            {%- set none_yet = {'least': none, 'most': none, 'values': none, 'not': [], 'null': []} -%}
            {%- do options.append({'limits': {feature: dict(none_yet, **change)}, 'others': []}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for text in alternative.others if text != 'true' -%}
        {%- do options.append({'limits': {}, 'others': ['not ( ' ~ text ~ ' )']}) -%}
    {%- endfor -%}
    {{ return(options) }}
{% endmacro %}

{#-
  The terms of an alternative, as [{feature, comparison, needed, text, is_met, takes_order, is_barred}]. The last three
  are SQL: whether it is met, whether meeting it takes an order, and whether nothing can meet it.
-#}
{% macro way_terms(way) %}
    {%- set terms = [] -%}
    {%- for feature, limit in way.limits.items() -%}
        {%- set comparisons = [] -%}
        {%- if limit['values'] is not none and limit['values'] | length == 1 and limit['values'][0] is number -%}
            {%- do comparisons.append(('=', limit['values'][0])) -%}
        {%- elif limit['values'] is not none -%}
            {%- do comparisons.append(('in', limit['values'])) -%}
        {%- endif -%}
        {%- if limit.least -%}{%- do comparisons.append(('>' if limit.least[1] else '>=', limit.least[0])) -%}{%- endif -%}
        {%- if limit.most -%}{%- do comparisons.append(('<=' if limit.most[1] else '<', limit.most[0])) -%}{%- endif -%}
        {%- if limit['not'] -%}{%- do comparisons.append(('not in', limit['not'])) -%}{%- endif -%}
        {%- if true in limit['null'] -%}
            {%- do comparisons.append(('is null', none)) -%}
        {%- elif false in limit['null'] and not comparisons -%}
            {%- do comparisons.append(('is not null', none)) -%}
        {%- endif -%}
        {%- for comparison, needed in comparisons -%}
            {#- of an unknown value the first comparison of a feature is the one that isn't met -#}
            {%- do terms.append(comparison_term(feature, comparison, needed, false not in limit['null'] or not loop.first)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for text in way.others -%}
        {%- do terms.append({
            'feature': none, 'comparison': none, 'needed': none, 'text': text,
            'is_met': 'coalesce(' ~ text ~ ', ' ~ ('true' if text.startswith('not (') else 'false') ~ ')',
            'takes_order': 'false', 'is_barred': 'false',
        }) -%}
    {%- endfor -%}
    {{ return(terms) }}
{% endmacro %}

{% macro comparison_term(feature, comparison, needed, may_be_unknown) %}
    {%- set is_number = comparison in ['=', '>', '>=', '<', '<='] -%}
    {%- if comparison in ['is null', 'is not null'] -%}
        {%- set text = feature ~ ' ' ~ comparison -%}
        {%- set is_met = '(' ~ text ~ ')' -%}
    {%- else -%}
        {%- set values = [] -%}
        {%- for value in ([needed] if is_number else needed) -%}{%- do values.append(number_as_text(value)) -%}{%- endfor -%}
        {%- if is_number -%}
            {%- set text = feature ~ ' ' ~ comparison ~ ' ' ~ values[0] -%}
        {%- elif values | length == 1 -%}
            {%- set text = feature ~ (' = ' if comparison == 'in' else ' <> ') ~ values[0] -%}
        {%- else -%}
            {%- set text = feature ~ ' ' ~ comparison ~ ' (' ~ values | join(', ') ~ ')' -%}
        {%- endif -%}
        {%- set is_met = 'coalesce(' ~ text ~ ', ' ~ ('true' if may_be_unknown else 'false') ~ ')' -%}
    {%- endif -%}
    {%- set kind = feature_movements().get(feature, {}).get('kind') if is_number else none -%}
    {%- set limit = number_as_text(needed) if is_number else '' -%}
    {%- set is_floor = comparison in ['>', '>='] -%}
    {%- set is_ceiling = comparison in ['<', '<='] -%}
    {%- set unknown = feature ~ ' is null' -%}
    {%- set takes_order = 'false' -%}
    {%- if kind == 'gap' or (kind in ['sum', 'high'] and is_floor) or (kind == 'low' and is_ceiling) -%}
        {%- set takes_order = 'true' -%}
    {%- elif kind in ['sum', 'high'] and comparison == '=' -%}
        {%- set takes_order = 'coalesce(' ~ feature ~ ' < ' ~ limit ~ ', true)' -%}
    {%- elif kind == 'low' and comparison == '=' -%}
        {%- set takes_order = 'coalesce(' ~ feature ~ ' > ' ~ limit ~ ', true)' -%}
    {%- elif kind -%}
        {%- set takes_order = unknown -%}
    {%- endif -%}
    {#- what only rises can't come down -#}
    {%- set is_barred = 'false' -%}
    {%- if kind in ['sum', 'age'] and (is_ceiling or comparison == '=') -%}
        {%- set is_barred = 'coalesce(' ~ feature ~ ' > ' ~ limit ~ ', false)' if comparison != '<' else 'coalesce(' ~ feature ~ ' >= ' ~ limit ~ ', false)' -%}
    {%- endif -%}
    {#- nobody is asked to become unknown -#}
    {%- if comparison == 'is null' and feature in feature_movements() -%}{%- set is_barred = 'true' -%}{%- endif -%}
    {{ return({
        'feature': feature,
        'comparison': comparison if is_number else none,
        'needed': needed if is_number else none,
        'text': text,
        'is_met': is_met,
        'takes_order': takes_order,
        'is_barred': is_barred,
    }) }}
{% endmacro %}

{% macro number_as_text(value) %}
    {{ return((value | int if value == value | int else value) | string if value is number else value) }}
{% endmacro %}

{#- SQL: whether a way is still open after one more order. More orders may follow, and time: sums and ages may lack some. -#}
{% macro holds_after_order(way) %}
    {%- set checks = [] -%}
    {%- for feature, limit in way.limits.items() -%}
        {%- set movement = feature_movements().get(feature, {}) -%}
        {%- if movement.after -%}
            {%- for term in way_terms({'limits': {feature: limit}, 'others': []}) -%}
                {%- set is_met = term.is_met -%}
                {%- if movement.kind in ['sum', 'age'] -%}{%- set is_met = is_met.replace(' = ', ' <= ') -%}{%- endif -%}
                {%- if not (movement.kind in ['sum', 'age'] and term.comparison in ['>', '>=']) -%}
                    {%- do checks.append(modules.re.sub('\\b' ~ feature ~ '\\b', movement.after, is_met)) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(checks) }}
{% endmacro %}

{#-
  What the SQL of a segmentation's distances is made of:
  segments  the segments with their ranks, as `level`: 1 for the lowest
  terms     way_terms of all ways, each once
  ways      [{number, segment, level, terms: [positions in terms], conditions: [SQL], doubts: [SQL]}]: a way is open if its
            conditions hold, and sure to lead there if its doubts do, which are about texts nobody can set
  columns   the features that take part
-#}
{% macro segment_ways(definition) %}
    {%- set segments = ranked_segments(definition) -%}
    {%- set ranks = segments | map(attribute='rank') | unique | sort -%}
    {%- set plan = {'segments': [], 'terms': [], 'ways': [], 'columns': []} -%}
    {%- for segment in segments -%}
        {%- do plan.segments.append({'name': segment.name, 'level': ranks.index(segment.rank) + 1}) -%}
    {%- endfor -%}
    {%- for rank in ranks[1:] -%}
        {%- set level = loop.index + 1 -%}
        {%- for segment in segments if segment.rank == rank -%}
            {%- for way in ways_into(definition, segment) -%}
                {%- do add_way(plan, way, segment.name, level) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(plan) }}
{% endmacro %}

{% macro add_way(plan, way, segment, level) %}
    {%- set positions = [] -%}
    {%- set takes_order = [] -%}
    {%- set conditions = [] -%}
    {%- set in_texts = [] -%}
    {%- set doubts = [] -%}
    {%- for term in way_terms(way) -%}
        {%- if term not in plan.terms -%}{%- do plan.terms.append(term) -%}{%- endif -%}
        {%- do positions.append(plan.terms.index(term)) -%}
        {%- if term.takes_order != 'false' -%}
            {%- do takes_order.append('(not term_' ~ plan.terms.index(term) ~ ' and ' ~ term.takes_order ~ ')') -%}
        {%- endif -%}
        {%- if term.is_barred != 'false' -%}
            {%- do conditions.append('(term_' ~ plan.terms.index(term) ~ ' or not ' ~ term.is_barred ~ ')') -%}
        {%- endif -%}
        {%- for feature in ([term.feature] if term.feature else columns_in(term.text, segmentation_columns())) -%}
            {%- if feature not in plan.columns -%}{%- do plan.columns.append(feature) -%}{%- endif -%}
            {%- if not term.feature -%}{%- do in_texts.append(feature) -%}{%- endif -%}
        {%- endfor -%}
        {%- if not term.feature -%}{%- do doubts.append('term_' ~ plan.terms.index(term)) -%}{%- endif -%}
    {%- endfor -%}
    {%- set after = holds_after_order(way) -%}
    {%- if takes_order and after -%}
        {%- do conditions.append('(not (' ~ takes_order | join(' or ') ~ ') or (' ~ after | join(' and ') ~ '))') -%}
    {%- endif -%}
    {%- for option in way.kept_out -%}
        {%- for term in way_terms(option) -%}{%- do conditions.append(term.is_met) -%}{%- endfor -%}
    {%- endfor -%}
    {%- do plan.ways.append({
        'number': plan.ways | length + 1,
        'segment': segment,
        'level': level,
        'terms': positions,
        'conditions': conditions | unique | list,
        'doubts': ['false'] if way.limits.keys() | select('in', in_texts) | list else doubts,
    }) -%}
{% endmacro %}

{#- SQL for a way that is open to a customer: its level, the terms that are unmet, and its number, in one number. -#}
{% macro way_as_number(way) -%}
    case when level < {{ way.level }}
    {%- for condition in way.conditions %} and {{ condition }}{% endfor %} then {{ way.level * 1000000 + way.number }}
    {%- for position in way.terms %} + case when term_{{ position }} then 0 else 10000 end{% endfor %} end
{%- endmacro %}

{#- The terms of all ways as rows of SQL: number of the way, position of the term, where it leads, and what it says. -#}
{% macro listed_terms(plan) -%}
    {%- for way in plan.ways -%}
        {%- set is_last = loop.last -%}
        {%- for position in way.terms -%}
            {%- set term = plan.terms[position] -%}
            {%- set needed = 'null' if term.needed is none else number_as_text(term.needed) -%}
            ({{ way.number }}, {{ position }}, '{{ way.segment }}', {{ as_text(term.feature) }},
            {#- #} {{ as_text(term.comparison) }}, {{ as_text(term.text) }}, {{ needed }})
            {{- '' if is_last and loop.last else ', ' }}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}

{#- [(position, SQL)] of the terms that any order meets if they aren't met: that the last one was long ago, for instance. -#}
{% macro terms_met_by_any_order(plan) %}
    {%- set found = [] -%}
    {%- for term in plan.terms if term.takes_order != 'false' -%}
        {%- if feature_movements().get(term.feature, {}).kind in ['low', 'high', 'gap', 'age'] -%}
            {%- do found.append((plan.terms.index(term), term.takes_order)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}
