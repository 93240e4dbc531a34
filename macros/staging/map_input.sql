{#- Maps what a company has onto the input contract: the variable `inputs`, see docs/your_own_data.md. -#}

{% macro has_input(input) %}{{ return(input in (var('inputs') or {})) }}{% endmacro %}

{#- The from-clause of an input: exactly one of file, table, model, query. -#}
{% macro input_source(input) %}
    {%- set mapping = var('inputs')[input] -%}
    {%- if mapping.file is defined -%}
        {{ return(read_files(absolute_path(mapping.file))) }}
    {%- elif mapping.table is defined -%}{{ return(mapping.table) }}
    {%- elif mapping.model is defined -%}
        {{ return(ref(mapping.model) if model.name == 'input_' ~ input else built_model(mapping.model)) }}
    {%- else -%}{{ return('(\n' ~ mapping.query ~ '\n)') }}
    {%- endif -%}
{% endmacro %}

{#- Where a model is: for those who ask for its columns without depending on it. -#}
{% macro built_model(name) %}
    {%- for node in graph.nodes.values() if node.name == name and node.resource_type in ('model', 'seed', 'snapshot') -%}
        {{ return(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) }}
    {%- endfor -%}
{% endmacro %}

{#- A file is looked for beside the project, wherever dbt is called from. -#}
{% macro absolute_path(file) %}
    {%- set is_absolute = file.startswith('/') or '://' in file -%}
    {{ return(file if is_absolute else invocation_args_dict.project_dir ~ '/' ~ file) }}
{% endmacro %}

{#- What the columns of an input are called where it comes from. -#}
{% macro source_columns(input) %}
    {{ return(
        adapter.get_column_schema_from_query('select * from ' ~ input_source(input) ~ ' as source limit 0')
        | map(attribute='name') | list
    ) }}
{% endmacro %}

{#- {contract column: SQL expression over the source}, only for columns that the source has. -#}
{% macro mapped_columns(input) %}
    {%- set mapped = {} -%}
    {%- if execute and has_input(input) -%}
        {%- set names = source_columns(input) -%}
        {%- set renamed = var('inputs')[input].get('columns') or {} -%}
        {%- for name, column in input_contract()[input]['columns'].items() -%}
            {%- set expression = renamed.get(name, name) | string -%}
            {%- set found = names | select('equalto', expression.strip('"')) | first
                or names | map('lower') | select('equalto', expression.strip('"') | lower) | first -%}
            {%- if found -%}
                {%- do mapped.update({name: adapter.quote(found)}) -%}
            {#- a name in any script, or in double quotes, is no expression -#}
            {%- elif modules.re.match('^([^\\W\\d]\\w*|"[^"]+")$', expression) -%}
                {%- if name in renamed or column.required -%}
                    {%- do exceptions.raise_compiler_error(
                        "Input '" ~ input ~ "' has no column '" ~ expression ~ "' for the "
                        ~ ("required " if column.required else "") ~ "column '" ~ name ~ "' of the contract.\n"
                        ~ "  It has: " ~ names | join(', ') ~ ".\n"
                        ~ "  Say which one it is in the variable `inputs`, at inputs." ~ input ~ ".columns." ~ name
                        ~ " (dbt_project.yml, or the vars file you gave). The contract is docs/input_contract.md.") -%}
                {%- endif -%}
            {%- else -%}
                {%- do mapped.update({name: expression}) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(mapped) }}
{% endmacro %}

{#- Text without spaces around it. A time with an offset is not local, so it must not be read as if it were. -#}
{% macro trimmed_text(expression, column) -%}
    {%- if column.type == 'timestamp' -%}
    case when {{ matches('trim(' ~ expression ~ ')', '([zZ]|[+-][0-9]{2}(:?[0-9]{2})?)$') }} and length(trim({{ expression }})) > 10
        then concat('offset in ', {{ expression }}) else nullif(trim({{ expression }}), '') end
    {%- else -%}
    nullif(trim({{ expression }}), '')
    {%- endif -%}
{%- endmacro %}

{#- What stands in a line of a CSV file behind its last column: a comma too many has then moved the values. -#}
{% macro surplus_fields(input) %}
    {%- set surplus = [] -%}
    {%- if execute and (var('inputs')[input].file or '') and not (var('inputs')[input].file | lower).endswith('.parquet') -%}
        {%- for name in source_columns(input) if modules.re.match('^column\\d+$', name) -%}
            {%- do surplus.append(adapter.quote(name)) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return("nullif(concat_ws(',', " ~ surplus | join(', ') ~ "), '')" if surplus else 'cast(null as string)') }}
{% endmacro %}

{#- What an empty value means where the column is there; unknown where it is not. -#}
{% macro default_of(input, column) %}
    {{ return(input_contract()[input]['columns'][column].default if column in mapped_columns(input) else 'null') }}
{% endmacro %}

{#-
  The SQL of an input_ model: contract columns by name, with the raw row beside them. Text is trimmed here already,
  also because DuckDB otherwise moves a try_cast into its CSV reader, where it fails the build.
-#}
{% macro map_input(input) %}
    {%- set contract = input_contract()[input]['columns'] -%}
    {%- set mapped = mapped_columns(input) -%}
    {%- set texts = [] -%}
    {%- if execute and mapped -%}
        {%- set selected = [] -%}
        {%- for name, expression in mapped.items() -%}{%- do selected.append(expression ~ ' as ' ~ name) -%}{%- endfor -%}
        {%- for column in adapter.get_column_schema_from_query(
            'select ' ~ selected | join(', ') ~ ' from ' ~ input_source(input) ~ ' as source limit 0') -%}
            {%- if column.is_string() -%}{%- do texts.append(column.name) -%}{%- endif -%}
        {%- endfor -%}
    {%- endif -%}
with

mapped as (
    select
    {%- for name, column in contract.items() %}
        {%- if name not in mapped %}
        cast(null as {{ sql_type(column) }}) as {{ name }},
        {%- else %}
        {{ trimmed_text(mapped[name], column) if name in texts else mapped[name] }} as {{ name }},
        {%- endif %}
    {%- endfor %}
    {%- if has_input(input) %}
        {{ surplus_fields(input) }} as surplus_fields,
        {{ row_as_json('source') }} as row_json
    from {{ input_source(input) }} as source
        {%- if var('inputs')[input].where is defined %}
    where {{ var('inputs')[input].where }}
        {%- endif %}
    {%- else %}
        cast(null as string) as surplus_fields,
        cast(null as string) as row_json
    from (select 1 as absent) as source
    where false
    {%- endif %}
)

-- the hash tells a refresh which rows are new or changed
select
    mapped.*,
    {{ row_hash(row_keys(input), contract.keys() | join(', ') ~ ', surplus_fields') }} as row_hash
from mapped
{% endmacro %}

{#- What identifies a row, as it is compared with others; all of it where nothing does. -#}
{% macro row_keys(input) -%}
    {%- set columns = input_contract()[input]['columns'] -%}
    {%- set keys = [] -%}
    {%- for name in input_contract()[input]['key'] -%}{%- do keys.append(typed(name, columns[name])) -%}{%- endfor -%}
    {{ return(keys | join(', ') if input_contract()[input]['key'] | select('in', mapped_columns(input)) | list or not execute else columns.keys() | join(', ')) }}
{%- endmacro %}
