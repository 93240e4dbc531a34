{#- What differs between engines. Every macro here has a DuckDB and a Spark form; models call only these. -#}

{% macro row_as_json(row_alias) %}{{ return(adapter.dispatch('row_as_json', 'customer_segmentation')(row_alias)) }}{% endmacro %}
{% macro default__row_as_json(row_alias) %}cast(to_json({{ row_alias }}) as string){% endmacro %}
{% macro spark__row_as_json(row_alias) %}to_json(struct({{ row_alias }}.*)){% endmacro %}

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

{#- The comment of a table. -#}
{% macro table_comment(relation) %}{{ return(adapter.dispatch('table_comment', 'customer_segmentation')(relation)) }}{% endmacro %}
{% macro default__table_comment(relation) -%}
    {{ return(run_query(
        "select comment from duckdb_tables() where schema_name = '" ~ relation.schema ~ "' and table_name = '" ~ relation.identifier
        ~ "' and database_name = '" ~ relation.database ~ "'"
    ).rows[0][0]) }}
{%- endmacro %}
{% macro spark__table_comment(relation) -%}
    {%- for row in run_query('describe table extended ' ~ relation).rows if row[0] == 'Comment' -%}{{ return(row[1]) }}{%- endfor -%}
{%- endmacro %}

{#- What views say. -#}
{% macro view_definitions(views) %}{{ return(adapter.dispatch('view_definitions', 'customer_segmentation')(views) if views else []) }}{% endmacro %}
{% macro default__view_definitions(views) -%}
    {%- set names = [] -%}
    {%- for view in views -%}{%- do names.append("('" ~ [view.database, view.schema, view.identifier] | join("', '") ~ "')") -%}{%- endfor -%}
    {{ return(run_query(
        'select sql from duckdb_views() where (database_name, schema_name, view_name) in (' ~ names | join(', ')
        ~ ') order by schema_name, view_name'
    ).columns[0].values() | list) }}
{%- endmacro %}
{% macro spark__view_definitions(views) -%}
    {%- set definitions = [] -%}
    {%- for view in views -%}{%- do definitions.append(run_query('show create table ' ~ view).rows[0][0]) -%}{%- endfor -%}
    {{ return(definitions) }}
{%- endmacro %}

{#- A row as a number: which of 2^20 buckets its key is in, and below that what stands in it. -#}
{% macro row_hash(keys, columns) %}{{ return(adapter.dispatch('row_hash', 'customer_segmentation')(keys, columns)) }}{% endmacro %}
{% macro default__row_hash(keys, columns) -%}
    cast(hash({{ keys }}) % 1048576 * 8796093022208 + hash({{ columns }}) % 8796093022208 as bigint)
{%- endmacro %}
{% macro spark__row_hash(keys, columns) -%}
    (pmod(xxhash64({{ keys }}), 1048576) * 8796093022208 + pmod(xxhash64({{ columns }}), 8796093022208))
{%- endmacro %}

{#- The bucket of a row's hash. -#}
{% macro row_bucket(hash) %}{{ return(adapter.dispatch('row_bucket', 'customer_segmentation')(hash)) }}{% endmacro %}
{% macro default__row_bucket(hash) %}({{ hash }} >> 43){% endmacro %}
{% macro spark__row_bucket(hash) %}shiftright({{ hash }}, 43){% endmacro %}

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
{% macro default__whole_number_text(text) %}regexp_replace({{ text }}, '^([0-9]+)[.]0+$', '\1'){% endmacro %}
{% macro spark__whole_number_text(text) %}regexp_replace({{ text }}, '^([0-9]+)[.]0+$', '$1'){% endmacro %}
