{#- What differs between engines. Every macro here has a DuckDB and a Spark form; models call only these. -#}

{% macro row_as_json(row) %}{{ return(adapter.dispatch('row_as_json', 'customer_segmentation')(row)) }}{% endmacro %}
{% macro default__row_as_json(row) %}cast(to_json({{ row }}) as string){% endmacro %}
{% macro spark__row_as_json(row) %}to_json({{ row }}){% endmacro %}

{#- All columns of a row as one value, which costs next to nothing until it is written out. -#}
{% macro row_as_struct(row_alias) %}{{ return(adapter.dispatch('row_as_struct', 'customer_segmentation')(row_alias)) }}{% endmacro %}
{% macro default__row_as_struct(row_alias) %}{{ row_alias }}{% endmacro %}
{% macro spark__row_as_struct(row_alias) %}struct({{ row_alias }}.*){% endmacro %}

{% macro matches(text, pattern) %}{{ return(adapter.dispatch('matches', 'customer_segmentation')(text, pattern)) }}{% endmacro %}
{% macro default__matches(text, pattern) %}regexp_matches({{ text }}, '{{ pattern }}'){% endmacro %}
{% macro spark__matches(text, pattern) %}({{ text }} rlike r'{{ pattern }}'){% endmacro %}

{#- The last value that is not null, within an ordered window given as text. -#}
{% macro last_known(expression, window) %}{{ return(adapter.dispatch('last_known', 'customer_segmentation')(expression, window)) }}{% endmacro %}
{% macro default__last_known(expression, window) %}last_value({{ expression }} ignore nulls) over {{ window }}{% endmacro %}
{% macro spark__last_known(expression, window) %}last_value({{ expression }}) ignore nulls over {{ window }}{% endmacro %}

{#- One row for each part of a delimited text. -#}
{% macro split_to_rows(text, delimiter) %}{{ return(adapter.dispatch('split_to_rows', 'customer_segmentation')(text, delimiter)) }}{% endmacro %}
{% macro default__split_to_rows(text, delimiter) %}unnest(string_split({{ text }}, '{{ delimiter }}')){% endmacro %}
{% macro spark__split_to_rows(text, delimiter) %}explode(split({{ text }}, '[{{ delimiter }}]')){% endmacro %}

{#- Why an engine can't read a condition; none if it can, or if it can't be asked without running something. -#}
{% macro syntax_error(condition) %}{{ return(adapter.dispatch('syntax_error', 'customer_segmentation')(condition)) }}{% endmacro %}
{% macro default__syntax_error(condition) %}
    {%- set known = found_before('syntax_errors') -%}
    {%- if condition not in known -%}
        {%- set query = ('select 1 from one where\n' ~ condition) | replace("'", "''") -%}
        {%- set answer = "json_serialize_sql('" ~ query ~ "')" -%}
        {%- do known.update({condition: run_query('select json_extract_string(' ~ answer ~ ", '$.error_message')").rows[0][0]}) -%}
    {%- endif -%}
    {{ return(known[condition]) }}
{% endmacro %}
{% macro spark__syntax_error(condition) %}{{ return(none) }}{% endmacro %}

{#- Files: CSV as text, so that a value of the wrong type is a rejected row and not a failed build. -#}
{% macro read_files(path) %}{{ return(adapter.dispatch('read_files', 'customer_segmentation')(path)) }}{% endmacro %}
{% macro default__read_files(path) -%}
    {{ return("read_parquet('" ~ path | replace("'", "''") ~ "', union_by_name = true)" if (path | lower).endswith('.parquet') else csv_source(path)) }}
{%- endmacro %}
{% macro spark__read_files(path) -%}
    {%- if path.endswith('.parquet') -%}parquet.`{{ path }}`
    {%- else -%}read_files('{{ path }}', format => 'csv', header => true, inferSchema => false)
    {%- endif -%}
{%- endmacro %}

{#- What is wrong with files, a message for each: what no row can be judged by. -#}
{% macro file_problems(path) %}{{ return(adapter.dispatch('file_problems', 'customer_segmentation')(path)) }}{% endmacro %}
{% macro default__file_problems(path) %}{{ return([] if (path | lower).endswith('.parquet') else csv_problems(path)) }}{% endmacro %}
{% macro spark__file_problems(path) %}{{ return([]) }}{% endmacro %}

{#- Where CSV files of another encoding can be read as UTF-8. -#}
{% macro in_utf8(path, encoding, place) %}{{ return(adapter.dispatch('in_utf8', 'customer_segmentation')(path, encoding, place)) }}{% endmacro %}
{% macro default__in_utf8(path, encoding, place) %}
    {%- set known = found_before('files_in_utf8') -%}
    {%- if (path, encoding) not in known -%}
        {%- if not run_query("select 1 from duckdb_functions() where function_name = 'in_utf8' limit 1").rows -%}
            {%- do configuration_error(place, "is '" ~ encoding ~ "', which takes a plugin that your profiles.yml must name:\n"
                ~ '  plugins: [{module: customer_segmentation.encodings, config: {folder: build/utf8}}]') -%}
        {%- endif -%}
        {%- do known.update({(path, encoding): fromjson(run_query('select in_utf8(' ~ csv_path(path) ~ ', ' ~ csv_path(encoding) ~ ')').rows[0][0])}) -%}
    {%- endif -%}
    {%- set found = known[(path, encoding)] -%}
    {%- if found.problem -%}{%- do configuration_error(place, found.problem ~ '.') -%}{%- endif -%}
    {{ return(found.files) }}
{% endmacro %}
{% macro spark__in_utf8(path, encoding, place) %}{{ return(path) }}{% endmacro %}

{#- A text of a declared form, with or without a time of day, as a time; null if there is no such day. -#}
{% macro read_date(text, form) %}{{ return(adapter.dispatch('read_date', 'customer_segmentation')(text, form)) }}{% endmacro %}
{% macro default__read_date(text, form) -%}
    {%- set day = modules.re.sub('d+', '%d', modules.re.sub('m+', '%m', form)) | replace('yyyy', '%Y') | replace('yy', '%y') -%}
    try_strptime({{ text }}, ['{{ day }}'{% for time in ['%H:%M', '%H:%M:%S', '%I:%M %p', '%I:%M:%S %p', '%I:%M%p', '%I:%M:%S%p'] %}, '{{ day }} {{ time }}'{% endfor %}])
{%- endmacro %}
{% macro spark__read_date(text, form) -%}
    {%- set day = modules.re.sub('d+', 'd', modules.re.sub('m+', 'M', form)) -%}
    coalesce(try_to_timestamp({{ text }}, '{{ day }}[ H:mm[:ss]]'), try_to_timestamp({{ text }}, '{{ day }} h:mm[:ss][ ]a'))
{%- endmacro %}

{#- How many files a path or glob stands for. -#}
{% macro count_files(path) %}{{ return(adapter.dispatch('count_files', 'customer_segmentation')(path)) }}{% endmacro %}
{% macro default__count_files(path) %}{{ return(run_query("select count(*) from glob('" ~ path | replace("'", "''") ~ "')").rows[0][0] if '://' not in path else 1) }}{% endmacro %}
{% macro spark__count_files(path) %}{{ return(1) }}{% endmacro %}

{#- ln(1 + x), also where 1 + x is rounded. -#}
{% macro log1p(x) %}{{ return(adapter.dispatch('log1p', 'customer_segmentation')(x)) }}{% endmacro %}
{% macro default__log1p(x) %}(case when 1 + ({{ x }}) = 1 then {{ x }} else ln(1 + ({{ x }})) * ({{ x }}) / ((1 + ({{ x }})) - 1) end){% endmacro %}
{% macro spark__log1p(x) %}log1p({{ x }}){% endmacro %}

{#- All texts of a group as one, sorted. -#}
{% macro sorted_text(text) %}{{ return(adapter.dispatch('sorted_text', 'customer_segmentation')(text)) }}{% endmacro %}
{% macro default__sorted_text(text) %}string_agg({{ text }}, '|' order by {{ text }}){% endmacro %}
{% macro spark__sorted_text(text) %}array_join(sort_array(collect_list({{ text }})), '|'){% endmacro %}

{#- A number from 0 to 1 that a text always gets: to draw a sample that depends on nothing but who is in it. -#}
{% macro hash_position(text) %}{{ return(adapter.dispatch('hash_position', 'customer_segmentation')(text)) }}{% endmacro %}
{% macro default__hash_position(text) %}(cast('0x' || left(md5({{ text }}), 8) as bigint) / 4294967296.0){% endmacro %}
{% macro spark__hash_position(text) %}(cast(conv(left(md5({{ text }}), 8), 16, 10) as bigint) / 4294967296.0){% endmacro %}

{#- A key as a number, to look for rows that share one. -#}
{% macro key_hash(columns) %}{{ return(adapter.dispatch('key_hash', 'customer_segmentation')(columns)) }}{% endmacro %}
{% macro default__key_hash(columns) %}hash({{ columns | join(', ') }}){% endmacro %}
{% macro spark__key_hash(columns) %}xxhash64({{ columns | join(', ') }}){% endmacro %}

{#- A row as a number of 31 bits that is the same in all versions of an engine, to see whether it is another one now. -#}
{% macro row_hash(columns) %}{{ return(adapter.dispatch('row_hash', 'customer_segmentation')(columns)) }}{% endmacro %}
{% macro default__row_hash(columns) %}cast(md5_number_lower(concat_ws('|', coalesce(cast({{ columns | join(" as string), ''), coalesce(cast(") }} as string), ''))) % 2147483647 as bigint){% endmacro %}
{% macro spark__row_hash(columns) %}pmod(xxhash64({{ columns | join(', ') }}), 2147483647){% endmacro %}

{#- A variable of the session: its value, and how it is set. -#}
{% macro session_variable(name) %}{{ return(adapter.dispatch('session_variable', 'customer_segmentation')(name)) }}{% endmacro %}
{% macro default__session_variable(name) %}getvariable('{{ name }}'){% endmacro %}
{% macro spark__session_variable(name) %}session.{{ name }}{% endmacro %}

{% macro set_session_variable(name, value) %}{{ return(adapter.dispatch('set_session_variable', 'customer_segmentation')(name, value)) }}{% endmacro %}
{% macro default__set_session_variable(name, value) %}set variable {{ name }} = {{ value }}{% endmacro %}
{% macro spark__set_session_variable(name, value) %}declare or replace variable {{ name }} date default {{ value }}{% endmacro %}

{#- Text without spaces of any kind around it, its accents composed; most texts are plain and need neither. -#}
{% macro trimmed(text) %}{{ return(adapter.dispatch('trimmed', 'customer_segmentation')(text)) }}{% endmacro %}
{% macro default__trimmed(text) -%}
    case
        when strlen({{ text }}) <> length({{ text }}) or contains({{ text }}, chr(9))
            then trim(nfc_normalize({{ text }}), '{{ spaces_and_marks() }}')
        when {{ text }} like ' %' or {{ text }} like '% ' then trim({{ text }}, ' ')
        else {{ text }}
    end
{%- endmacro %}
{% macro spark__trimmed(text) %}trim(both '{{ spaces_and_marks() }}' from {{ text }}){% endmacro %}

{#- Spaces, line ends, and marks without width: byte order, direction, joiners. -#}
{% macro spaces_and_marks() %}{{ return(' \t\n\r\u00a0\u2007\u202f\u3000\u200b\u200c\u200d\u200e\u200f\u2060\ufeff') }}{% endmacro %}

{#- A whole number as a text, where a float was made of it: 17850.0 is 17850. -#}
{% macro whole_number_text(text) %}{{ return(adapter.dispatch('whole_number_text', 'customer_segmentation')(text)) }}{% endmacro %}
{% macro default__whole_number_text(text) %}(case when contains({{ text }}, '.0') then regexp_replace({{ text }}, '^([0-9]+)[.]0+$', '\1') else {{ text }} end){% endmacro %}
{% macro spark__whole_number_text(text) %}regexp_replace({{ text }}, '^([0-9]+)[.]0+$', '$1'){% endmacro %}

{#- One of several percentiles of a column, each a value that is there; an engine may find all of them at once. -#}
{% macro percentile(column, shares, number) %}{{ return(adapter.dispatch('percentile', 'customer_segmentation')(column, shares, number)) }}{% endmacro %}
{% macro default__percentile(column, shares, number) %}quantile_disc({{ column }}, [{{ shares | join(', ') }}])[{{ number }}]{% endmacro %}
{% macro spark__percentile(column, shares, number) %}percentile_disc({{ shares[number - 1] }}) within group (order by {{ column }}){% endmacro %}

{#- Several values as one that is ordered by the first, then by the second. -#}
{% macro in_order(values) %}{{ return(adapter.dispatch('in_order', 'customer_segmentation')(values)) }}{% endmacro %}
{% macro default__in_order(values) %}row({{ values | join(', ') }}){% endmacro %}
{% macro spark__in_order(values) %}struct({{ values | join(', ') }}){% endmacro %}

{#- Rows need not stay in an order that no SQL asks for: that takes half of the memory. -#}
{% macro forget_row_order() %}{{ return(adapter.dispatch('forget_row_order', 'customer_segmentation')()) }}{% endmacro %}
{% macro default__forget_row_order() %}set preserve_insertion_order = false{% endmacro %}
{% macro spark__forget_row_order() %}{{ return('') }}{% endmacro %}

{#- A CTE that is worked out once, where an engine would write it into everything that reads it. -#}
{% macro worked_out_once() %}{{ return(adapter.dispatch('worked_out_once', 'customer_segmentation')()) }}{% endmacro %}
{% macro default__worked_out_once() %}as materialized{% endmacro %}
{% macro spark__worked_out_once() %}as{% endmacro %}
