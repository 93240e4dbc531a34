{#-
  The checks follow from the contract alone, so all inputs are checked alike. Most rows are plain: one condition says so,
  and they go straight to where they are used. Rows that are odd in any way, and those whose key comes more than once, are
  looked at apart by a checked_ model, which says what is wrong with each. A reason is `problem:column`; several are joined
  by ', '.
-#}

{#-
  The accepted rows of an input. joined: references of which the caller takes only the rows that are there. only_news: those
  that are read again (news.sql).
-#}
{% macro accepted_rows(input, joined=[], only_news=false) %}
    {%- set columns = (input_contract()[input]['columns'].keys() | list + marks_of(input)) | join(', ') -%}
    select {{ columns }}
    from (
        {{ typed_rows(input, only_news=only_news) | indent(8) }}
    ) as typed
    where
        not ({{ is_odd(input) | indent(8) }})
        {%- if has_key(input) %}
        -- all rows of a key are looked at apart, where one of them is
        and coalesce(key_hash, 0) not in (select key_hash from {{ ref('checked_' ~ input) }} where key_hash is not null)
        {%- endif %}
        {%- for name, reference in input_references(input).items() if name not in joined %}
        and ({{ name }} is null or {{ name }} in ({{ known_values(name, reference) }}))
        {%- endfor %}
    union all
    select {{ columns }}
    from {{ ref('checked_' ~ input) }}
    where
        reasons is null
        {%- if only_news and has_input(input) and reads_only_news() %}
        and {{ is_read_again(id_read_by(input), input) }}
        {%- endif %}
{% endmacro %}

{#- The SQL of a checked_ model: the rows that are not plain, with the reasons why they can't be used (null where they can). -#}
{% macro check_input(input) %}
    {%- set contract = input_contract()[input] -%}
    {%- set columns = contract['columns'] -%}
    {%- set references = input_references(input) -%}
with
{% for name, reference in references.items() %}
known_{{ name }} as (
    {{ known_values(name, reference, 'value') }}
),
{% endfor %}
odd as (
    select *
    from (
        {{ typed_rows(input, whole=true, only_news=input in ('orders', 'order_items', 'events')) | indent(8) }}
    ) as typed
    where
        {{ is_odd(input) | indent(8) }}
        {%- if has_key(input) %}
        or key_hash in (select key_hash from {{ ref('repeated_keys') }} where input = '{{ input }}')
        {%- endif %}
        {%- for name in references %}
        or ({{ name }} is not null and {{ name }} not in (select value from known_{{ name }}))
        {%- endfor %}
),

checked as (
    select
        typed.*,
        {{ row_as_json('typed.source_row') }} as row_json,
        nullif(concat_ws(
            ', '
        {%- for reason, condition in input_checks(input) %},
            case when {{ condition }} then '{{ reason }}' end
        {%- endfor %}
        ), '') as problems
    from odd as typed
    {%- for name in references %}
    left join known_{{ name }} on typed.{{ name }} = known_{{ name }}.value
    {%- endfor %}
),

-- of rows with one key, the best is kept
numbered as (
    select
        *,
        row_number() over (
            partition by {{ row_identity(input) | join(', ') }}
            order by problems nulls first, {{ 'updated_at desc nulls last, ' if 'updated_at' in columns }}{{ 'is_granted, ' if 'is_granted' in columns }}row_json
        ) as copy_number,
        {{ key_hash(columns | reject('equalto', 'updated_at') | list) }} as said
    from checked
),

compared as (
    select
        *,
        first_value(said) over (partition by {{ row_identity(input) | join(', ') }} order by copy_number) as said_by_kept
    from numbered
),

reasoned as (
    select
        *,
        coalesce(
            problems,
            case
                when copy_number > 1 and {{ contract['key'] | join(' is not null and ') }} is not null
                    -- the same once more says nothing else, so nothing is lost by leaving it out
                    then concat(case when said = said_by_kept then 'copy' else 'duplicate' end, ':{{ input_key(input) | join('+') }}')
            end
        ) as reasons
    from compared
)

select
{%- for name in columns.keys() | list + marks_of(input) %}
    {{ name }},
{%- endfor %}
    reasons,
    key_hash,
    case when reasons is not null then concat_ws('|', {{ input_key(input) | join(', ') }}) end as row_key,
    case when reasons is not null then row_json end as row_json
from reasoned
{% endmacro %}

{#- Every row of an input in the types of the contract. whole: with the row as delivered; only_news: see news.sql. -#}
{% macro typed_rows(input, whole=false, only_news=false) %}
    {%- set contract = input_contract()[input] -%}
    {%- set strings = [] -%}
    {%- for name, column in contract['columns'].items() if column.type == 'string' -%}{%- do strings.append(name) -%}{%- endfor -%}
    {%- set keys = [] -%}
    {%- set rows = ref('input_' ~ input) -%}
    {%- if only_news and has_input(input) and inputs_say_what_is_new() and not is_unit_test() -%}
        {%- set read_again = ref(input ~ '_read_again') -%}
    {%- endif -%}
    {%- for name in contract['key'] -%}{%- do keys.append(typed('source.' ~ name, contract['columns'][name])) -%}{%- endfor -%}
    {%- set more = [typed('source.' ~ version_column(input), {'type': 'timestamp'})] if version_column(input) else [] -%}
    {%- if 'is_return' in row_identity(input) -%}{%- do more.extend(['source.is_return', returned_alone('source.')]) -%}{%- endif -%}
select
    {%- for mark in marks_of(input) %}
    coalesce(source.{{ mark }}, false) as {{ mark }},
    {%- endfor %}
    {%- for name, column in contract['columns'].items() %}
    {%- if name == 'amount' and 'unit_price' in contract['columns'] %}
    coalesce(
        {{ typed('source.amount', column) }},
        cast(
            coalesce({{ typed('source.quantity', column) }}, case when source.quantity is null then 1 end)
            * {{ typed('source.unit_price', column) }} as {{ sql_type(column) }}
        )
    ) as amount,
    {%- else %}
    {{ typed('source.' ~ name, column) }} as {{ name }},
    {%- endif %}
    {%- if column.type != 'string' %}
    case when {{ typed('source.' ~ name, column) }} is null then {{ text('source.' ~ name) }} end as unread_{{ name }},
    {%- endif %}
    {%- endfor %}
    {{ is_odd_text("concat_ws(' ', source." ~ strings | join(', source.') ~ ')') }} as has_odd_text,
    case
        when {{ keys | join(' is not null and ') }} is not null
            then {{ key_hash(keys + more) }}
    end as key_hash,
    {%- if whole %}
    source.source_row,
    {%- endif %}
    -- a time that never comes would hide all that is loaded after it
    case
        when {{ typed('source.loaded_at', {'type': 'timestamp'}) }} < cast('9999-01-01' as timestamp)
            then {{ typed('source.loaded_at', {'type': 'timestamp'}) }}
    end as loaded_at,
    source.broken_row
from {{ read_again if read_again and reads_only_news() else rows }} as source
{%- endmacro %}

{#- Whether anything of a typed row may be wrong: a plain row passes all checks. -#}
{% macro is_odd(input) %}
    {%- set odd = ['typed.broken_row is not null', 'coalesce(typed.has_odd_text, false)'] -%}
    {%- for reason, condition in input_checks(input) if not condition.startswith('typed.has_odd_text') and not condition.startswith('typed.broken_row')
        and not reason.startswith('unknown_reference') -%}
        {%- do odd.append('coalesce(' ~ condition ~ ', false)') -%}
    {%- endfor -%}
    {{ return(odd | join('\n        or ')) }}
{% endmacro %}

{#- Whether an input has a key: without it every row is a row of its own. -#}
{% macro has_key(input) %}
    {{ return(input_contract()[input]['key'] | reject('in', mapped_columns(input)) | list == [] or not execute) }}
{% endmacro %}

{#- The column that tells versions of a row apart, if there are any. -#}
{% macro version_column(input) %}
    {{ return(input_contract()[input].get('versions', []) | select('in', mapped_columns(input)) | first | default(none)) }}
{% endmacro %}

{#- What is known of the rows of an input besides the columns of the contract. -#}
{% macro marks_of(input) %}{{ return(['is_return'] if input == 'orders' else []) }}{% endmacro %}

{#-
  What tells rows apart: their key, and of returns among orders what they say as well, because an order may have several
  under its own number.
-#}
{% macro row_identity(input) %}
    {%- set is_told_by_order = input == 'orders' and rows_that_return() and not rows_are_lines() -%}
    {{ return(input_key(input) + (['is_return', returned_alone()] if is_told_by_order else [])) }}
{% endmacro %}

{% macro returned_alone(place='') -%}
    case when {{ place }}is_return then concat_ws('|', cast({{ place }}ordered_at as string), cast({{ place }}amount as string)) end
{%- endmacro %}

{#- What identifies a row: the key, and the version if there are any. -#}
{% macro input_key(input) %}
    {{ return(input_contract()[input]['key'] + ([version_column(input)] if version_column(input) else [])) }}
{% endmacro %}

{#- Whether all that was ever known of customers is delivered, so that nothing needs to be kept here. -#}
{% macro is_customer_history_delivered() %}{{ return('valid_from' in mapped_columns('customers')) }}{% endmacro %}

{#- What may be said of a customer and may change: the columns that have versions. -#}
{% macro customer_attributes() %}
    {{ return(input_contract()['customers']['columns'].keys() | reject('in', ['customer_id', 'created_at', 'valid_from', 'updated_at']) | list) }}
{% endmacro %}

{#- What a reference may name. Who has only ordered is a customer too. -#}
{% macro known_values(name, reference, as=name) -%}
    select {{ name }} as {{ as }} from {{ ref('stg_' ~ reference) }}
    where {{ name }} is not null
    {%- if reference == 'customers' %}
    union
    select {{ name }} as {{ as }} from {{ ref('stg_orders') }}
    where {{ name }} is not null
    {%- endif %}
{%- endmacro %}

{#- {column: input} of the references that can be checked, because that input is there. -#}
{% macro input_references(input) %}
    {%- set references = {} -%}
    {%- for name, column in input_contract()[input]['columns'].items() -%}
        {%- if column.references is defined and has_input(column.references) -%}
            {%- do references.update({name: column.references}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(references) }}
{% endmacro %}

{#- [(reason, condition under which a row has it)] for the columns of `typed`. -#}
{% macro input_checks(input) %}
    {%- set checks = [('broken_row:fields', "typed.broken_row like 'fields%'"), ('broken_row:lines', "typed.broken_row = 'lines'")] -%}
    {%- set references = input_references(input) -%}
    {%- set columns = input_contract()[input]['columns'] -%}
    {%- set is_no_return = ' and not coalesce(typed.is_return, false)' if input == 'orders' and rows_that_return() else '' -%}
    {%- for name, column in columns.items() -%}
        {%- set is_text = column.type == 'string' -%}
        {%- if column.required and not column.may_be_empty -%}
            {%- set unread = [] if is_text else [name] + (['quantity', 'unit_price'] if name == 'amount' and 'unit_price' in columns else []) -%}
            {%- set told = ['typed.' ~ name ~ ' is null'] -%}
            {%- for part in unread -%}{%- do told.append('typed.unread_' ~ part ~ ' is null') -%}{%- endfor -%}
            {%- do checks.append(('missing:' ~ name, told | join(' and '))) -%}
        {%- endif -%}
        {%- if is_text -%}
            {%- do checks.append(('broken_text:' ~ name, 'typed.has_odd_text and ' ~ is_broken_text('typed.' ~ name))) -%}
            {%- do checks.append(('absurd:' ~ name, 'typed.has_odd_text and length(typed.' ~ name ~ ') > ' ~ longest_text())) -%}
            {%- if name.endswith('_id') -%}
                {%- do checks.append(('broken_id:' ~ name, 'typed.has_odd_text and ' ~ is_broken_id('typed.' ~ name))) -%}
            {%- endif -%}
        {%- else -%}
            {%- do checks.append(('wrong_type:' ~ name, 'typed.unread_' ~ name ~ ' is not null')) -%}
        {%- endif -%}
        {%- if column.type in ('decimal', 'integer') and not column.own -%}
            {%- set max = var('max_amount') if column.max == 'max_amount' else column.max -%}
            {%- do checks.append(('negative:' ~ name, 'typed.' ~ name ~ ' < 0' ~ is_no_return)) -%}
            {%- do checks.append(('absurd:' ~ name, ('abs(typed.' ~ name ~ ')' if is_no_return else 'typed.' ~ name) ~ ' > ' ~ max)) -%}
        {%- elif column.type in ('date', 'timestamp') and not column.own -%}
            {%- do checks.append(('too_early:' ~ name, 'typed.' ~ name ~ " < cast('" ~ (column.earliest or '1970-01-01') ~ "' as date)")) -%}
            {%- if not column.known_later -%}
                {%- do checks.append(('after_as_of_date:' ~ name, 'cast(typed.' ~ name ~ ' as date) > ' ~ latest_date())) -%}
            {%- endif -%}
        {%- endif -%}
        {%- if 'values' in column -%}
            {%- do checks.append(('unknown_value:' ~ name, 'typed.' ~ name ~ ' is not null and not ' ~ is_one_of('typed.' ~ name, column['values']))) -%}
        {%- endif -%}
        {%- if name in references -%}
            {%- do checks.append(('unknown_reference:' ~ name, 'typed.' ~ name ~ ' is not null and known_' ~ name ~ '.value is null')) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(checks) }}
{% endmacro %}

{#- A value as text without spaces around it; null where nothing is left. -#}
{% macro text(expression) -%}
    nullif(trim(cast({{ expression }} as string)), '')
{%- endmacro %}

{#- A value in the type of its contract column; null where it can't be read. Text was trimmed when it was mapped. -#}
{% macro typed(expression, column) -%}
    {%- if column.type == 'string' and 'values' in column -%}lower(cast({{ expression }} as string))
    {%- elif column.type == 'string' -%}cast({{ expression }} as string)
    {%- elif column.type == 'integer' -%}
    case when try_cast({{ expression }} as double) = try_cast({{ expression }} as integer) then try_cast({{ expression }} as integer) end
    {%- else -%}try_cast({{ expression }} as {{ sql_type(column) }})
    {%- endif -%}
{%- endmacro %}

{% macro sql_type(column) -%}
    {{ 'decimal(18, 4)' if column.type == 'decimal' else column.type }}
{%- endmacro %}

{#- Replacement characters, control characters, or UTF-8 that was read as Latin-1. -#}
{% macro is_broken_text(expression) -%}
    {{ matches(expression, '[\\x{FFFD}\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\x7F-\\x{009F}]|[\\x{00C2}\\x{00C3}][\\x{0080}-\\x{00BF}]|[\\x{00E0}-\\x{00EF}][\\x{0080}-\\x{00BF}]{2}') }}
{%- endmacro %}

{#- What would never be found again: marks and spaces that nobody sees, 1.2E+11 and #REF! of spreadsheets. -#}
{% macro is_broken_id(expression) -%}
    {{ matches(expression, '[\\x{00A0}\\x{00AD}\\x{034F}\\x{061C}\\x{1680}\\x{180E}\\x{2000}-\\x{200F}\\x{2028}-\\x{202F}\\x{205F}-\\x{2064}\\x{2066}-\\x{2069}\\x{3000}\\x{3164}\\x{FEFF}\\t\\r\\n]|^[0-9]([.][0-9]+)?[eE][+][0-9]+$|^#(REF|VALUE|NAME|DIV|NUM|NULL)') }}
{%- endmacro %}

{#- Whether any text of a row may be broken: one cheap look, so that few rows are looked at column by column. -#}
{% macro is_odd_text(expression) -%}
    ({{ matches(expression, '[^ -~\\p{Lo}]|\\x{3164}|[eE][+]|#') }} or length({{ expression }}) > {{ longest_text() }})
{%- endmacro %}

{#- Longer texts are no names, categories or ids: something else stands in the column. -#}
{% macro longest_text() %}{{ return(1000) }}{% endmacro %}

{#- SQL for a date, empty where no row can have it. -#}
{% macro valid_date(name, column) -%}
    case
            when
                {{ name }} >= cast('{{ column.earliest or '1970-01-01' }}' as date)
                {%- if not column.known_later %}
                and cast({{ name }} as date) <= {{ latest_date() }}
                {%- endif %}
                then cast({{ name }} as date)
        end
{%- endmacro %}
