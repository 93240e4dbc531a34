{#-
  The words of conditions. Who has to know what a condition means reads it with customer_segmentation/definitions/conditions.py.
-#}

{#- A condition as a list of words, numbers, texts and signs; in lower case but for the texts. -#}
{% macro condition_tokens(condition) %}
    {%- set tokens = [] -%}
    {%- for token in modules.re.findall("'(?:[^']|'')*'|[<>!]=|<>|[A-Za-z_]\\w*|[0-9.]+(?:[eE][+-]?[0-9]+)?|\\S", condition) -%}
        {%- do tokens.append(token if token.startswith("'") else token | lower) -%}
    {%- endfor -%}
    {{ return(tokens) }}
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

{#-
  SQL that somebody wrote, in which what has no value is null: a division by zero, a root or logarithm of what has none, and
  what is too large for a number. Engines make NaN or infinity of it, which are above every threshold, or break off.
  Who knows a parser does the same with null_if_undefined() of customer_segmentation/definitions/conditions.py.
-#}
{% macro null_if_undefined(sql) %}
    {%- set tokens = sql_tokens(sql) if sql is string else sql -%}
    {%- set written = [] -%}
    {%- set at = namespace(next=0) -%}
    {%- for word, _ in tokens -%}
        {%- set here = loop.index0 -%}
        {%- if here < at.next -%}{%- continue -%}{%- endif -%}
        {%- set is_called = loop.nextitem is defined and loop.nextitem[0] == '(' -%}
        {%- if word in ['/', '//', '%'] -%}
            {%- set at.next = operand_end(tokens, here + 1) -%}
            {%- do written.append(word ~ ' nullif(' ~ null_if_undefined(tokens[here + 1:at.next]) ~ ', 0)') -%}
        {%- elif is_called and word | lower in partial_functions() -%}
            {%- set at.next = operand_end(tokens, here) -%}
            {%- set value = word ~ '(' ~ null_if_undefined(tokens[here + 2:at.next - 1]) ~ ')' -%}
            {%- do written.append('case when abs(' ~ value ~ ") < cast('infinity' as double) then " ~ value ~ ' end') -%}
        {%- elif is_called and word | lower == 'mod' -%}
            {%- set at.next = operand_end(tokens, here) -%}
            {%- set divisor = last_argument(tokens[:at.next - 1], here + 2) -%}
            {%- do written.append(
                'mod(' ~ null_if_undefined(tokens[here + 2:divisor]) ~ 'nullif('
                ~ null_if_undefined(tokens[divisor:at.next - 1]) ~ ', 0))'
            ) -%}
        {%- else -%}
            {%- do written.append(word) -%}
            {%- set at.next = here + 1 -%}
        {%- endif -%}
        {#- what follows a part stands behind whatever that part is put into -#}
        {%- if sql is string or at.next < tokens | length -%}{%- do written.append(tokens[at.next - 1][1]) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(written | join) }}
{% endmacro %}

{#- [(word, text, number or sign; blanks and comments behind it)] of SQL. -#}
{% macro sql_tokens(sql) %}
    {%- set blank = '\\s|--[^\\n]*|/[*](?:.|\\n)*?[*]/' -%}
    {%- set word = "'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[^\\W\\d]\\w*|[0-9.]+(?:[eE][+-]?[0-9]+)?|::|//|\\S" -%}
    {{ return(modules.re.findall('(^(?=' ~ blank ~ ')|' ~ word ~ ')((?:' ~ blank ~ ')*)', sql)) }}
{% endmacro %}

{#- Where an operand ends that begins at a token: it may have a sign before it and a type, a field or an index behind it. -#}
{% macro operand_end(tokens, start) %}
    {%- set at = namespace(depth=0, end=start, goes_on=true) -%}
    {%- for word, _ in tokens[start:] -%}
        {%- if at.depth == 0 and not at.goes_on and word not in ['(', '[', '.', '::'] -%}{%- break -%}{%- endif -%}
        {%- set at.depth = at.depth + nesting(word) -%}
        {%- set at.goes_on = word in ['+', '-', '.', '::'] -%}
        {%- if at.depth == 0 -%}{%- set at.end = start + loop.index -%}{%- endif -%}
    {%- endfor -%}
    {{ return(at.end) }}
{% endmacro %}

{#- Where the last of the arguments begins that begin at a token. -#}
{% macro last_argument(tokens, start) %}
    {%- set at = namespace(depth=0, begin=start) -%}
    {%- for word, _ in tokens[start:] -%}
        {%- set at.depth = at.depth + nesting(word) -%}
        {%- if at.depth == 0 and word == ',' -%}{%- set at.begin = start + loop.index -%}{%- endif -%}
    {%- endfor -%}
    {{ return(at.begin) }}
{% endmacro %}

{#- How much deeper a word leads. -#}
{% macro nesting(word) %}
    {{ return(1 if word | lower in ['(', '[', 'case'] else -1 if word | lower in [')', ']', 'end'] else 0) }}
{% endmacro %}

{#- Functions that have no finite value for some numbers. -#}
{% macro partial_functions() %}
    {{ return(modules.re.findall('\\w+', '
        acos acosh asin atanh cot exp gamma lgamma ln log log10 log2 pow power sqrt
    ')) }}
{% endmacro %}
