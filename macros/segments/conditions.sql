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
