{#- Reading conditions: their words, and what follows from what. Enough of SQL for plain conditions, no more. -#}

{#- A condition as a list of words, numbers, texts and signs; in lower case but for the texts. -#}
{% macro condition_tokens(condition) %}
    {%- set tokens = [] -%}
    {%- for token in modules.re.findall("'(?:[^']|'')*'|[<>!]=|<>|[A-Za-z_]\\w*|[0-9.]+(?:[eE][+-]?[0-9]+)?|\\S", condition) -%}
        {%- do tokens.append(token if token.startswith("'") else token | lower) -%}
    {%- endfor -%}
    {{ return(tokens) }}
{% endmacro %}

{#- The parts of a condition around a word (and, or), where it isn't within brackets, a case or a between. -#}
{% macro split_condition(tokens, word) %}
    {%- set parts = [[]] -%}
    {%- set at = namespace(depth=0, between=false) -%}
    {%- for token in tokens -%}
        {%- set at.depth = at.depth + (1 if token in ['(', 'case'] else -1 if token in [')', 'end'] else 0) -%}
        {%- if token == word and at.depth == 0 and not (at.between and token == 'and') -%}
            {%- do parts.append([]) -%}
        {%- else -%}
            {%- do parts[-1].append(token) -%}
        {%- endif -%}
        {%- if at.depth == 0 and token in ['between', 'and'] -%}{%- set at.between = token == 'between' -%}{%- endif -%}
    {%- endfor -%}
    {{ return(parts) }}
{% endmacro %}

{#-
  A condition as alternatives of which one must hold: {limits: {column: limit}, others: [text]}. Comparisons of a
  column with numbers or texts become its limit; whatever else must hold as well stays text.
-#}
{% macro condition_alternatives(condition, and_also='') %}
    {%- set alternatives = [] -%}
    {%- for parts in both(alternative_parts(condition_tokens(condition)), alternative_parts(condition_tokens(and_also))) -%}
        {%- set alternative = {'limits': {}, 'others': []} -%}
        {%- for part in parts -%}{%- do add_to_alternative(alternative, part) -%}{%- endfor -%}
        {%- do alternatives.append(alternative) -%}
    {%- endfor -%}
    {{ return(alternatives) }}
{% endmacro %}

{#- [[part]]: one of the lists must hold, each with all its parts. Brackets around conditions are resolved. -#}
{% macro alternative_parts(tokens) %}
    {%- set alternatives = [] -%}
    {%- for either in split_condition(tokens, 'or') -%}
        {%- set found = namespace(lists=[[]]) -%}
        {%- for part in split_condition(either, 'and') if part -%}
            {%- set inside = within_brackets(part) -%}
            {%- set found.lists = both(found.lists, alternative_parts(inside) if inside else [[part]]) -%}
        {%- endfor -%}
        {%- do alternatives.extend(found.lists) -%}
    {%- endfor -%}
    {{ return(alternatives) }}
{% endmacro %}

{#- Every list of the one with every list of the other. -#}
{% macro both(some, others) %}
    {%- set joined = [] -%}
    {%- for one in some -%}{%- for other in others -%}{%- do joined.append(one + other) -%}{%- endfor -%}{%- endfor -%}
    {{ return(joined) }}
{% endmacro %}

{#- What stands within brackets that enclose all of it; none if they don't. -#}
{% macro within_brackets(tokens) %}
    {%- set at = namespace(depth=0, closes=none) -%}
    {%- for token in tokens if at.closes is none -%}
        {%- set at.depth = at.depth + (1 if token == '(' else -1 if token == ')' else 0) -%}
        {%- if at.depth == 0 -%}{%- set at.closes = loop.index -%}{%- endif -%}
    {%- endfor -%}
    {{ return(tokens[1:-1] if tokens[0] == '(' and at.closes == tokens | length else none) }}
{% endmacro %}

{% macro add_to_alternative(alternative, part) %}
    {%- set text = part | join(' ') -%}
    {%- set column = part[0] -%}
    {%- set value = "(-? ?[0-9.]+|'(?:[^']|'')*')" -%}
    {%- set compared = modules.re.match('^\\w+ (=|<>|!=|<=|>=|<|>) ' ~ value ~ '$', text) -%}
    {%- set between = modules.re.match('^\\w+ between ' ~ value ~ ' and ' ~ value ~ '$', text) -%}
    {%- set listed = modules.re.match('^\\w+ in \\( (' ~ value ~ '(?: , ' ~ value ~ ')*) \\)$', text) -%}
    {%- set limit = alternative.limits.get(column, {'least': none, 'most': none, 'values': none, 'not': [], 'null': []}) -%}
    {%- if compared and not (compared[2].startswith("'") and compared[1] in ['<', '>', '<=', '>=']) -%}
        {%- do narrow(limit, compared[1], literal(compared[2])) -%}
    {%- elif between and not text.count("'") -%}
        {%- do narrow(limit, '>=', literal(between[1])) -%}
        {%- do narrow(limit, '<=', literal(between[2])) -%}
    {%- elif listed -%}
        {%- set values = [] -%}
        {%- for found in modules.re.findall(value, listed[1]) -%}{%- do values.append(literal(found)) -%}{%- endfor -%}
        {%- do narrow(limit, 'in', values) -%}
    {%- elif text == column ~ ' is null' -%}
        {%- do limit['null'].append(true) -%}
    {%- elif text == column ~ ' is not null' -%}
        {%- do limit['null'].append(false) -%}
    {%- else -%}
        {%- do alternative.others.append(text) -%}
    {%- endif -%}
    {%- if text not in alternative.others -%}{%- do alternative.limits.update({column: limit}) -%}{%- endif -%}
{% endmacro %}

{% macro literal(token) %}
    {{ return(token if token.startswith("'") else token.replace(' ', '') | float) }}
{% endmacro %}

{#- Tightens a limit. `least` and `most` are (number, whether the number itself is out). -#}
{% macro narrow(limit, sign, value) %}
    {%- do limit['null'].append(false) -%}
    {%- if sign in ['<>', '!='] -%}
        {%- do limit['not'].append(value) -%}
    {%- elif sign in ['=', 'in'] -%}
        {%- set values = [value] if sign == '=' else value -%}
        {%- do limit.update({'values': values if limit['values'] is none else limit['values'] | select('in', values) | list}) -%}
    {%- elif sign in ['>', '>='] -%}
        {%- do limit.update({'least': [limit.least or (value, sign == '>'), (value, sign == '>')] | max}) -%}
    {%- else -%}
        {%- do limit.update({'most': [limit.most or (value, sign == '<='), (value, sign == '<=')] | min}) -%}
    {%- endif -%}
{% endmacro %}

{% macro is_allowed(limit, value) %}
    {{ return(
        value not in limit['not']
        and (limit['values'] is none or value in limit['values'])
        and (limit.least is none or value is string or (value, false) >= limit.least)
        and (limit.most is none or value is string or (value, true) <= limit.most)
    ) }}
{% endmacro %}

{#- The values that a limit leaves; none if they can't be listed. -#}
{% macro allowed_values(limit) %}
    {%- set listed = limit['values'] -%}
    {%- if listed is none and limit.least and limit.most and limit.least[0] >= limit.most[0] -%}
        {%- set listed = [limit.least[0]] -%}
    {%- endif -%}
    {%- if listed is none -%}{{ return(none) }}{%- endif -%}
    {%- set allowed = [] -%}
    {%- for value in listed if is_allowed(limit, value) -%}{%- do allowed.append(value) -%}{%- endfor -%}
    {{ return(allowed) }}
{% endmacro %}

{#- Whether no row can meet an alternative. -#}
{% macro is_impossible(alternative) %}
    {%- for limit in alternative.limits.values() -%}
        {%- if allowed_values(limit) == [] or limit['null'] | unique | list | length == 2 -%}{{ return(true) }}{%- endif -%}
    {%- endfor -%}
    {{ return('false' in alternative.others) }}
{% endmacro %}

{#- Whether every row that meets one alternative meets the other one: where it can be shown. -#}
{% macro is_within(inner, outer) %}
    {%- for column, limit in outer.limits.items() -%}
        {%- if column not in inner.limits or not is_limit_within(inner.limits[column], limit) -%}{{ return(false) }}{%- endif -%}
    {%- endfor -%}
    {{ return(outer.others | reject('in', inner.others + ['true']) | list == []) }}
{% endmacro %}

{% macro is_limit_within(inner, outer) %}
    {%- set values = allowed_values(inner) -%}
    {%- if outer['null'] | reject('in', inner['null']) | list -%}
        {{ return(false) }}
    {%- elif values is not none -%}
        {%- for value in values if not is_allowed(outer, value) -%}{{ return(false) }}{%- endfor -%}
        {{ return(true) }}
    {%- endif -%}
    {%- for value in outer['not'] if is_allowed(inner, value) -%}{{ return(false) }}{%- endfor -%}
    {{ return(
        outer['values'] is none
        and (outer.least is none or (inner.least is not none and inner.least >= outer.least))
        and (outer.most is none or (inner.most is not none and inner.most <= outer.most))
    ) }}
{% endmacro %}

{#- Words that mean something else in SQL: a name that is one of them couldn't be a column. -#}
{% macro reserved_words() %}
    {{ return(modules.re.findall('\\w+', '
        all and any array as asc between both by case cast check collate column constraint create cross current_date
        current_time current_timestamp default delete desc distinct drop else end except exists false fetch for foreign
        from full grant group having in inner insert intersect interval into is join lateral leading left like limit
        natural none not null offset on only or order outer over primary qualify references right select set some table
        then to trailing true union unique unpivot update user using values when where window with
    ')) }}
{% endmacro %}

{#- Words of a condition that are no columns. -#}
{% macro condition_keywords() %}
    {{ return(modules.re.findall('\\w+', '
        and or not in is null like between true false case when then else end distinct from as
        integer bigint double decimal string boolean date timestamp
    ')) }}
{% endmacro %}

{#- Functions whose value follows from the columns, on every engine alike. -#}
{% macro condition_functions() %}
    {{ return(modules.re.findall('\\w+', '
        abs cast ceil coalesce concat exp floor greatest least length ln lower mod nullif power replace round sign sqrt
        substring trim try_cast upper
    ')) }}
{% endmacro %}
