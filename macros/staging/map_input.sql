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

{#- {contract column: SQL expression over the source}, only for columns that the source has. -#}
{% macro mapped_columns(input) %}
    {%- set mapped = {} -%}
    {%- if execute and has_input(input) -%}
        {%- set source_columns = {} -%}
        {%- for column in adapter.get_column_schema_from_query('select * from ' ~ input_source(input) ~ ' as source limit 0') -%}
            {%- do source_columns.update({column.name: column.dtype}) -%}
        {%- endfor -%}
        {%- set renamed = var('inputs')[input].get('columns') or {} -%}
        {%- for name, column in input_contract()[input]['columns'].items() -%}
            {%- set expression = renamed.get(name, name) | string -%}
            {%- set is_name = modules.re.match('^[A-Za-z_][A-Za-z0-9_]*$', expression) -%}
            {%- if is_name and expression not in source_columns and expression | lower not in source_columns.keys() | map('lower') -%}
                {%- if name in renamed or column.required -%}
                    {%- do exceptions.raise_compiler_error(
                        "Input '" ~ input ~ "' has no column '" ~ expression ~ "' for the "
                        ~ ("required " if column.required else "") ~ "column '" ~ name ~ "' of the contract.\n"
                        ~ "  It has: " ~ source_columns.keys() | join(', ') ~ ".\n"
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
select
{%- for name, column in contract.items() %}
    {%- if name not in mapped %}
    cast(null as {{ sql_type(column) }}) as {{ name }},
    {%- else %}
    {%- set value = "nullif(trim(" ~ mapped[name] ~ "), '')" if name in texts else 'cast(' ~ mapped[name] ~ ' as string)' if column.type == 'string' else mapped[name] %}
    {%- if column.default is defined %}
    coalesce({{ value }}, {{ "'" ~ column.default ~ "'" if name in texts or column.type == 'string' else column.default }}) as {{ name }},
    {%- else %}
    {{ value }} as {{ name }},
    {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if has_input(input) %}
    {{ row_as_json('source') }} as row_json
from {{ input_source(input) }} as source
    {%- if var('inputs')[input].where is defined %}
where {{ var('inputs')[input].where }}
    {%- endif %}
{%- else %}
    cast(null as string) as row_json
from (select 1 as absent) as source
where false
{%- endif %}
{% endmacro %}
