{#- The definitions in use, in the order in which `segmentations` names them; those left out whole are not among them. -#}
{% macro published_definitions() %}
    {%- set definitions = [] -%}
    {%- for name in var('segmentations') if execute -%}
        {%- set definition = segmentation_definition(name) -%}
        {%- if is_in_use(definition) -%}{%- do definitions.append(definition) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(definitions) }}
{% endmacro %}

{#- {segmentation: whether its segments may overlap} of all that is on record, also what is no longer defined. -#}
{% macro published_columns() %}
    {%- set columns = {} -%}
    {%- if execute -%}
        {%- for column in adapter.get_columns_in_relation(ref('segment_history')) -%}
            {%- if column.name not in ('customer_id', 'as_of_date', 'moved_by_rule', 'history_hash', 'lifetime_revenue') -%}{%- do columns.update({column.name: true}) -%}{%- endif -%}
        {%- endfor -%}
        {%- for definition in published_definitions() -%}
            {%- do columns.update({definition.name: definition.assignment == 'all_matches'}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(columns) }}
{% endmacro %}

{#- The record as rows: customer, date, segmentation and segment, each overlapping segment on its own. -#}
{% macro memberships(condition='true') -%}
{%- set history = ref('segment_history') -%}
select
    cast(null as string) as customer_id,
    cast(null as date) as as_of_date,
    cast(null as string) as segmentation,
    cast(null as string) as segment
where false
{%- for name, may_overlap in published_columns().items() %}
union all
select
    customer_id,
    as_of_date,
    '{{ name }}' as segmentation,
    {{ split_to_rows(name, '|') if may_overlap else name }} as segment
from {{ history }}
where
    {{ name }} is not null
    and {{ condition }}
{%- endfor %}
{%- endmacro %}

{#- [(definition, segment, what the inputs lack for it)], for all segments that are defined by conditions. -#}
{% macro catalogue() %}
    {%- set rows = [] -%}
    {%- for name in var('segmentations') if execute -%}
        {%- set definition = segmentation_definition(name) -%}
        {%- set whole = none if is_in_use(definition) else definition.left_out.values() | first -%}
        {%- for segment in definition.segments if definition.assignment != 'learned' -%}
            {%- do rows.append((
                definition,
                dict(segment, position=loop.index, treatment=segment.treatment or {}),
                definition.left_out.get(segment.name) or whole,
            )) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(rows) }}
{% endmacro %}

{#- SQL for a text of a learned segment, such as `label.en`: as the definition has it, or otherwise learned. -#}
{% macro text_by_hand(definition, key, learned='cast(null as string)') -%}
    {%- set texts = {} -%}
    {%- for segment in definition.segments -%}
        {%- set parts = key.split('.') -%}
        {%- set text = (segment[parts[0]] or {}).get(parts[1]) if parts | length > 1 else segment[key] -%}
        {%- if text -%}{%- do texts.update({segment.name: text}) -%}{%- endif -%}
    {%- endfor -%}
    {%- if texts -%}
    case cluster{% for name, text in texts.items() %} when '{{ name }}' then {{ as_text(text) }}{% endfor %} else {{ learned }} end
    {%- else -%}
    {{ learned }}
    {%- endif -%}
{%- endmacro %}

{#- SQL for a limit of a segment's share of customers: its own or that of its segmentation; null if nobody wrote one. -#}
{% macro share_limit(definition, segment, key) -%}
    {%- set written = segment[key] if segment[key] is number else definition[key] if definition[key] is number else 'null' -%}
    cast({{ written }} as double)
{%- endmacro %}

{#- The same where segments name themselves. -#}
{% macro learned_share_limit(definition, key) -%}
    {%- set named = definition.segments | selectattr(key, 'number') | list -%}
    {%- if named -%}
    case cluster{% for segment in named %} when '{{ segment.name }}' then {{ share_limit(definition, segment, key) }}{% endfor %} else {{ share_limit(definition, {}, key) }} end
    {%- else -%}
    {{ share_limit(definition, {}, key) }}
    {%- endif -%}
{%- endmacro %}

{#- What decides who is in which segment, for the record. -#}
{% macro written_definition(definition) %}
    {%- set segments = [] -%}
    {%- for segment in definition.segments if segment.name not in definition.left_out -%}
        {%- do segments.append({'name': segment.name, 'when': segment.when or none}) -%}
    {%- endfor -%}
    {%- set written = {'assignment': definition.assignment, 'population': definition.population or none} -%}
    {%- if definition.assignment == 'learned' -%}
        {%- do written.update({'column': definition.column}) -%}
    {%- else -%}
        {%- do written.update({'segments': segments, 'otherwise': definition.otherwise or none}) -%}
    {%- endif -%}
    {{ return(written) }}
{% endmacro %}

{#- The as-of dates to publish: each once, and the last one of the record again, which was still open when it was. -#}
{% macro due_dates() -%}
select *
from {{ ref('as_of_dates') }}
{%- if is_incremental() %}
where
    is_latest
    or as_of_date >= (select max(published.as_of_date) from {{ this }} as published)
    or as_of_date not in (select published.as_of_date from {{ this }} as published)
{%- endif %}
{%- endmacro %}

{#- A date that was the latest and is not a month end leaves the record when another one is published. -#}
{% macro forget_open_dates() %}
delete from {{ this }}
where
    as_of_date <> {{ dbt.last_day('as_of_date', 'month') }}
    and as_of_date <> (select max(as_of_date) from {{ ref('as_of_dates') }})
{% endmacro %}

{#-
  Called when the as-of dates are known: published month ends stay, so no build may end before one of them. It would
  forget them, or put marts of different dates side by side.
-#}
{% macro check_published_dates() %}
    {%- if execute and not var('restate') -%}
        {%- set latest = grid_dates()[-1] -%}
        {%- set later = month_ends_lost(latest) | join(', ') -%}
        {%- set on_purpose = "make restate (with plain dbt: dbt build --full-refresh --vars 'restate: true') publishes the"
            ~ ' whole history anew.' -%}
        {%- if later and var('as_of_date') -%}
            {%- do configuration_error('as_of_date', 'is ' ~ latest ~ ', and month ends from that day on are published: ' ~ later
                ~ '.\n  To look at the past give it a database of its own: a copy of the vars file with another name after'
                ~ ' `database:`. Otherwise leave as_of_date empty.'
                ~ '\n  If they are to be forgotten: ' ~ on_purpose) -%}
        {%- elif later -%}
            {%- set sources = [] -%}
            {%- for input in ['orders', 'events'] if has_input(input) -%}
                {%- set mapping = var('inputs')[input] -%}
                {%- do sources.append('inputs.' ~ input ~ ' (' ~ (mapping.file or mapping.table or mapping.model or 'a query') ~ ')') -%}
            {%- endfor -%}
            {%- do exceptions.raise_compiler_error(
                'The data ends on ' ~ latest ~ ', and later month ends are published: ' ~ later ~ '. They would be without data.'
                ~ '\n  Is ' ~ sources | join(' or ') ~ ' not whole? Deliver it whole and build again.'
                ~ '\n  If these dates are to be forgotten, because a mistyped date that led to them is mended: ' ~ on_purpose
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{#-
  The published month ends that a build up to a date would lose. `as_of_date` looks back, so it may not even publish a
  closed one anew; where the data is shorter by a few days its end is open once more.
-#}
{% macro month_ends_lost(date) %}
    {%- set history = built_model('segment_history') -%}
    {%- if date is none or adapter.get_relation(history.database, history.schema, history.identifier) is none -%}
        {{ return([]) }}
    {%- endif -%}
    {{ return(dates_in(
        '(select as_of_date from ' ~ history ~ ' where as_of_date = ' ~ dbt.last_day('as_of_date', 'month')
        ~ " and as_of_date >= cast('" ~ date ~ "' as date) and (as_of_date > cast('" ~ date ~ "' as date)"
        ~ (' or as_of_date < (select max(as_of_date) from ' ~ history ~ ')' if var('as_of_date') else '') ~ ')) as lost', 'as_of_date'
    )) }}
{% endmacro %}

{#- Changes whenever any definition does. -#}
{% macro definitions_version(definitions) %}
    {%- set versions = [] -%}
    {%- for definition in definitions -%}{%- do versions.append(definition.name ~ ' ' ~ definition.version) -%}{%- endfor -%}
    {{ return(local_md5(versions | join(', '))[:8]) }}
{% endmacro %}

{#- Assignments are always by today's definitions: those of others are made again. -#}
{% macro forget_other_definitions() %}
    {%- if is_on_record() and 'definitions_version' in adapter.get_columns_in_relation(this) | map(attribute='name') -%}
delete from {{ this }} where definitions_version <> '{{ definitions_version(published_definitions()) }}'
    {%- endif -%}
{% endmacro %}

{#- Whether there is a table to add to. -#}
{% macro is_on_record() %}
    {%- if not execute or is_unit_test() -%}{{ return(false) }}{%- endif -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ return(existing is not none and existing.is_table and not should_full_refresh()) }}
{% endmacro %}

{#- A hash of all that is known of a customer up to a date, for each of some dates; of all customers, or of those in a CTE. -#}
{% macro history_hashes(dates='due', customers=none) -%}
select
    periods.customer_id,
    {{ dates }}.as_of_date,
    cast(sum(periods.history_hash) as {{ dbt.type_bigint() }}) as history_hash,
    sum(periods.revenue) as revenue
from {{ ref('customer_periods') }} as periods
inner join {{ dates }} on periods.period_end <= {{ dates }}.as_of_date
{%- if customers %}
where periods.customer_id in (select {{ customers }}.customer_id from {{ customers }})
{%- endif %}
group by periods.customer_id, {{ dates }}.as_of_date
{%- endmacro %}
