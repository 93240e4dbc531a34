{#- Maps what a company has onto the input contract: the variable `inputs`, see docs/your_own_data.md. -#}

{% macro has_input(input) %}{{ return(input in (var('inputs') or {})) }}{% endmacro %}

{#- The from-clause of an input: exactly one of file, table, model, query. -#}
{% macro input_source(input) %}
    {%- set mapping = var('inputs')[input] -%}
    {%- if mapping.file is defined -%}
        {%- set known = found_before('file_sources') -%}
        {%- set files = readable_files(input) -%}
        {%- if files not in known -%}{%- do known.update({files: read_files(files)}) -%}{%- endif -%}
        {{ return(known[files]) }}
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

{#- The path or glob of the files of an input; of those in another encoding, that of their copies in UTF-8. -#}
{% macro readable_files(input) %}
    {%- set mapping = var('inputs')[input] -%}
    {%- set path = absolute_path(mapping.file) -%}
    {{ return(in_utf8(path, mapping.encoding, 'inputs.' ~ input ~ '.encoding') if mapping.encoding and execute else path) }}
{% endmacro %}

{#- What the columns of an input are called where it comes from. -#}
{% macro source_columns(input) %}
    {%- set known = found_before('source_columns') -%}
    {%- if input not in known -%}
        {%- set source = input_source(input) -%}
        {%- do known.update({
            input: adapter.get_column_schema_from_query('select * from ' ~ source ~ ' as source limit 0') | map(attribute='name') | list
        }) -%}
    {%- endif -%}
    {{ return(known[input]) }}
{% endmacro %}

{#- What may be wrong with a header that lacks a column. -#}
{% macro what_is_odd_of_header(wanted, names) -%}
    {%- set meant = customer_segmentation.nearest(wanted, names) -%}
    {%- if names[0].startswith('sep=') %}
        {{- "  The first line is one for a spreadsheet alone: delete it.\n" }}
    {%- elif names | length == 1 %}
        {{- "  That is one column only: they must be separated by commas, semicolons, tabs or bars.\n" }}
    {%- elif meant and modules.re.search('[^\\x00-\\x7f]', meant) and not modules.re.search('[^\\x00-\\x7f]', wanted) %}
        {{- "  '" ~ meant ~ "' looks much like it, but has a letter of another script.\n" }}
    {%- elif meant %}
        {{- "  Did you mean '" ~ meant ~ "'?\n" }}
    {%- endif %}
{%- endmacro %}

{#- Which rows of an input are taken. -#}
{% macro input_condition(input) %}{{ return(null_if_undefined(var('inputs')[input].where | default('true', true) | string)) }}{% endmacro %}

{#- Where a mapping says which column that is. -#}
{% macro place_of_column(input, name) %}{{ return('inputs.' ~ input ~ ('.columns.' if name != 'loaded_at' else '.') ~ name) }}{% endmacro %}

{#- {contract column: SQL expression over the source}, only for columns that the source has. -#}
{% macro mapped_columns(input) %}
    {%- set known = found_before('mapped_columns') -%}
    {%- if input in known -%}{{ return(known[input]) }}{%- endif -%}
    {%- set mapped = {} -%}
    {%- if execute and has_input(input) -%}
        {%- set names = source_columns(input) -%}
        {%- if not names | reject('equalto', 'broken_row') | join and var('inputs')[input].file is defined -%}
            {%- do exceptions.raise_compiler_error(
                "No files found that match inputs." ~ input ~ ".file: '" ~ var('inputs')[input].file ~ "', which was there when the build began."
            ) -%}
        {%- endif -%}
        {%- set renamed = dict(var('inputs')[input].get('columns') or {}) -%}
        {%- set wanted = dict(input_contract()[input]['columns']) -%}
        {%- if var('inputs')[input].loaded_at -%}
            {%- do renamed.update({'loaded_at': var('inputs')[input].loaded_at}) -%}
            {%- do wanted.update({'loaded_at': {'type': 'timestamp'}}) -%}
        {%- endif -%}
        {%- for name, column in wanted.items() -%}
            {%- set place = place_of_column(input, name) -%}
            {%- set expression = renamed.get(name, name) | string -%}
            {%- set found = names | select('equalto', expression.strip('"')) | first
                or names | map('lower') | select('equalto', expression.strip('"') | lower) | first -%}
            {%- if found -%}
                {%- if name not in renamed and found | lower ~ ' (2)' in names | map('lower') -%}
                    {%- do configuration_error(place, "is needed: the header has the column '" ~ found ~ "' more than once. Say which one it is; the later ones are called \"" ~ found ~ " (2)\" and so on.") -%}
                {%- endif -%}
                {%- do mapped.update({name: adapter.quote(found)}) -%}
            {#- a name in any script, or in double quotes, is no expression -#}
            {%- elif modules.re.match('^([^\\W\\d]\\w*|"[^"]+")$', expression) -%}
                {%- if name in renamed or (column.required and not (column.get('instead') in renamed or column.get('instead') in names | map('lower') | list)) -%}
                    {%- do exceptions.raise_compiler_error(
                        "Input '" ~ input ~ "' has no column '" ~ expression ~ "' for the "
                        ~ ("required " if column.required else "") ~ "column '" ~ name ~ "' of the contract.\n"
                        ~ "  It has: " ~ names | reject('equalto', 'broken_row') | join(', ') ~ ".\n"
                        ~ what_is_odd_of_header(expression, names | reject('equalto', 'broken_row') | list)
                        ~ "  Say which one it is in the variable `inputs`, at " ~ place
                        ~ " (dbt_project.yml, or the vars file you gave). The contract is docs/input_contract.md.") -%}
                {%- endif -%}
            {%- else -%}
                {%- do mapped.update({name: expression}) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do known.update({input: mapped}) -%}
    {{ return(mapped) }}
{% endmacro %}

{#- Where an input that is not delivered is told of by the rows of orders: items and products by lines, returns by credit notes. -#}
{% macro is_told_by_orders(input) %}
    {{ return(not has_input(input) and (
        (input in ('order_items', 'products') and rows_are_lines())
        or (input == 'returns' and rows_that_return() is not none and rows_that_return() is defined)
    )) }}
{% endmacro %}

{#-
  The columns of an input that are known. Of customers and products those that can tell them apart, in which 30 rows or one
  in a hundred say something.
-#}
{% macro filled_columns(input) %}
    {%- set known = found_before('filled_columns') -%}
    {%- if input in known -%}{{ return(known[input]) }}{%- endif -%}
    {%- set place = 'orders' if is_told_by_orders(input) else input -%}
    {%- set mapped = {} -%}
    {%- for name, expression in mapped_columns(place).items() if name in input_contract()[input]['columns'] -%}
        {%- do mapped.update({name: expression}) -%}
    {%- endfor -%}
    {%- set filled = mapped.keys() | list -%}
    {%- if place != input and input != 'returns' and 'product_id' not in mapped -%}{%- set filled = [] -%}{%- endif -%}
    {%- if input in ('customers', 'products') and filled -%}
        {%- set counts, telling = [], [] -%}
        {%- for expression in mapped.values() -%}
            {%- do counts.append('count(case when not ' ~ says_nothing(text(expression)) ~ ' then 1 end)') -%}
        {%- endfor -%}
        {%- set found = run_query('select ' ~ counts | join(', ') ~ ', count(*) from ' ~ input_source(place) ~ ' as source where ' ~ input_condition(place)).rows[0] -%}
        {%- for name in mapped -%}
            {%- if found[loop.index0] and found[loop.index0] >= [0.01 * found[-1], 30] | min -%}{%- do telling.append(name) -%}{%- endif -%}
        {%- endfor -%}
        {%- set filled = telling -%}
    {%- endif -%}
    {%- do known.update({input: filled}) -%}
    {{ return(filled) }}
{% endmacro %}

{#- {contract column: the type of its expression}. -#}
{% macro mapped_types(input, mapped) %}
    {%- set selected = [] -%}
    {%- for name, expression in mapped.items() -%}{%- do selected.append(expression ~ ' as ' ~ name) -%}{%- endfor -%}
    {%- set types = {} -%}
    {%- for column in adapter.get_column_schema_from_query('select ' ~ selected | join(', ') ~ ' from ' ~ input_source(input) ~ ' as source limit 0') -%}
        {#- the adapter names the fields of a struct, not the struct -#}
        {%- do types.update({column.name: column.data_type | lower} if column.name in mapped else {column.name.split('.')[0]: 'struct'}) -%}
    {%- endfor -%}
    {{ return(types) }}
{% endmacro %}

{#- Whether the engine's type of a mapped value fits that of the contract; what does not is read as text. -#}
{% macro fits(type, column) %}
    {%- set number = '(decimal|tinyint|smallint|int|bigint|hugeint|u[a-z]*int|float|double|real)' -%}
    {%- set fitting = {
        'decimal': number, 'integer': number, 'date': 'date|timestamp', 'timestamp': 'date|timestamp', 'boolean': 'boolean',
        'string': '(tinyint|smallint|int|bigint|hugeint|u[a-z]*int)',
    } -%}
    {{ return(modules.re.match(fitting[column.type], type) is not none) }}
{% endmacro %}

{#-
  What a trimmed text says, null if nothing. A time of another form than ISO says none unless the mapping declares the form,
  so that 03/04 is not guessed at; nor are 24 o'clock and 1_000, which DuckDB takes for the next day and for a thousand.
-#}
{% macro said(text, name, column, mapping={}) -%}
    {%- if column.type in ('date', 'timestamp') -%}
    {%- set iso = '^[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}([ T]([01]?[0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?$' -%}
    case
        {%- for form in ([mapping.dates] if mapping.dates is string else mapping.dates or []) %}
        when {{ matches(text, date_pattern(form)) }} then coalesce(cast({{ read_date(text, form) }} as string), concat('no such day: ', {{ text }}))
        {%- endfor %}
        when {{ matches(text, iso) }} then {{ text }}
        when not {{ says_nothing(text) }} then concat('not ISO: ', {{ text }})
    end
    {%- elif column.type in ('decimal', 'integer') and mapping.decimal -%}
    case
        when {{ matches(text, grouped_number(mapping.decimal)) }} then {{ with_point(text, mapping.decimal) }}
        when contains({{ text }}, '{{ other_mark(mapping.decimal) }}') then concat('other marks: ', {{ text }})
        when not {{ says_nothing(text) }} then replace({{ text }}, '_', ' ')
    end
    {%- else -%}
    {%- set kept = whole_number_text(text) if name.endswith('_id') else "replace(" ~ text ~ ", '_', ' ')" if column.type in ('decimal', 'integer') else text %}
    case when not {{ says_nothing(text) }} then {{ kept }} end
    {%- endif -%}
{%- endmacro %}

{#- A declared form of dates, such as dd.mm.yyyy: the pattern of such texts, with or without a time of day behind. -#}
{% macro date_pattern(form) %}
    {%- set one_or_two = '[0-9]{1,2}' if modules.re.search('[^dmy]', form) else '[0-9]{2}' -%}
    {%- set digits = {'d': one_or_two, 'dd': one_or_two, 'm': one_or_two, 'mm': one_or_two, 'yy': '[0-9]{2}', 'yyyy': '[0-9]{4}'} -%}
    {%- set pattern = [] -%}
    {%- for part in modules.re.findall('d+|m+|y+|[^dmy]', form) -%}{%- do pattern.append(digits.get(part) or '[' ~ part ~ ']') -%}{%- endfor -%}
    {{ return('^' ~ pattern | join ~ '([ ]([01]?[0-9]|2[0-3]):[0-9]{2}(:[0-9]{2})?( ?[AaPp][Mm])?)?$') }}
{% endmacro %}

{#- Whether it is one: a day, a month and a year, each once, with the same mark between them or none. -#}
{% macro is_date_form(form) %}
    {%- set part = '(dd?|mm?|yyyy|yy)' -%}
    {%- set parts = modules.re.match('^' ~ part ~ '([-/. ]?)' ~ part ~ '\\2' ~ part ~ '$', form | string) -%}
    {{ return(parts is not none and modules.re.findall('d+|m+|y+', form) | map('first') | sort | join == 'dmy') }}
{% endmacro %}

{#- A number whose decimal mark is declared: thousands may be set apart by the other mark, a space or an apostrophe. -#}
{% macro grouped_number(mark) %}
    {%- set fraction = '([' ~ mark ~ '][0-9]+)?' -%}
    {%- set apart = '[' ~ other_mark(mark) ~ ' \u00a0\u202f\u2019\\x27]' -%}
    {{ return('^[-+]?([0-9]{1,3}(' ~ apart ~ '[0-9]{3})+' ~ fraction ~ '|[0-9]+' ~ fraction ~ '|[' ~ mark ~ '][0-9]+)$') }}
{% endmacro %}

{% macro other_mark(mark) %}{{ return('.' if mark == ',' else ',') }}{% endmacro %}

{#- Such a number as SQL reads it. -#}
{% macro with_point(text, mark) -%}
    {%- set bare = namespace(is=text) -%}
    {%- for apart in [other_mark(mark), ' ', '\u00a0', '\u202f', '\u2019', "''"] -%}{%- set bare.is = 'replace(' ~ bare.is ~ ", '" ~ apart ~ "', '')" -%}{%- endfor -%}
    {{ 'replace(' ~ bare.is ~ ", ',', '.')" if mark == ',' else bare.is }}
{%- endmacro %}

{#- Whether a text is one of some, row by row: a list after `in` would be joined, which takes longer and reads all columns. -#}
{% macro is_one_of(text, values) -%}
    case {{ text }}{% for value in values %} when '{{ value }}' then true{% endfor %} else false end
{%- endmacro %}

{#- Empty, or one of the words that databases, spreadsheets and pandas write for it. -#}
{% macro says_nothing(text) -%}
    (case when {{ text }} is null then true when length({{ text }}) <= 5 then {{ is_one_of('lower(' ~ text ~ ')', ['', '-', 'null', '\\n', 'n/a', '#n/a', 'nan', 'nat', '<na>', 'none']) }} else false end)
{%- endmacro %}

{#- What an empty value means where the column is there; unknown where it is not. -#}
{% macro default_of(input, column) %}
    {{ return(input_contract()[input]['columns'][column].default if column in mapped_columns(input) else 'null') }}
{% endmacro %}

{#-
  The SQL of an input_ model: contract columns by name, with the row as delivered beside them. Text is trimmed here already,
  also because DuckDB otherwise moves a try_cast into its CSV reader, where it fails the build. only_news: the rows that are
  read again (news.sql).
-#}
{% macro map_input(input, only_news=false) %}
    {%- set contract = dict(input_contract()[input]['columns'], loaded_at={'type': 'timestamp'}) -%}
    {%- set mapped = mapped_columns(input) -%}
    {%- set types = mapped_types(input, mapped) if mapped else {} -%}
    {%- set texts = [] -%}
    {%- for name, type in types.items() if not fits(type, contract[name]) -%}{%- do texts.append(name) -%}{%- endfor -%}
    {%- set marks = marks_of(input) -%}
    {%- set returns = rows_that_return() or 'false' -%}
    {%- set is_return = 'coalesce(' ~ null_if_undefined(returns) ~ ', false)' if returns != 'negative' else 'false' -%}
    {%- set below_zero -%}
coalesce(try_cast(amount as double) < 0{{ ' or try_cast(quantity as double) < 0 or try_cast(unit_price as double) < 0' if rows_are_lines() }}, false)
    {%- endset -%}
with

mapped as (
    select
{%- for name, column in contract.items() %}
        {{ mapped[name] | trim if name in mapped else 'cast(null as ' ~ sql_type(column) ~ ')' }} as {{ name }},
{%- endfor %}
{%- if marks %}
        {{ is_return }} as is_return,
{%- endif %}
{%- if has_input(input) %}
        {{ 'row_as_delivered.broken_row' if execute and 'broken_row' in source_columns(input) else 'cast(null as string)' }} as broken_row,
        -- by a name that no column has: it would stand for the column
        {{ row_as_struct('row_as_delivered') }} as source_row
        {%- if only_news %},
        -- worked out once: what follows is worked out for few
        {{ mapped_id(input, mapped, types) | indent(8) }} as read_by
        {%- endif %}
    from {{ input_source(input) }} as row_as_delivered
    where {{ input_condition(input) }}
{%- else %}
        cast(null as string) as broken_row,
        cast(null as string) as source_row
    from (select 1 as absent) as source
    where false
{%- endif %}
),

trimmed as (
    select
{%- for name in contract %}
        {{ trimmed(name if types[name] in ('varchar', 'string') else 'cast(' ~ name ~ ' as string)') ~ ' as ' ~ name if name in texts else name }},
{%- endfor %}
{%- for mark in marks %}
        {{ mark }},
{%- endfor %}
        broken_row,
        source_row
    from mapped
    {%- if only_news %}
    where {{ is_read_again('read_by', input) }}
    {%- endif %}
),

said as (
    select
{%- for name, column in contract.items() %}
        {{ said(name, name, column, var('inputs')[input]) ~ ' as ' ~ name if name in texts else name }},
{%- endfor %}
{%- for mark in marks %}
        {{ mark }},
{%- endfor %}
        broken_row,
        source_row
    from trimmed
)

select
{%- for name in contract %}
    {{ name }},
{%- endfor %}
{%- if marks %}
    {{ below_zero if returns == 'negative' else 'is_return' }} as is_return,
{%- endif %}
    broken_row,
    source_row
from said
{% endmacro %}
