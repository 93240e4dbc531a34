{#-
  `materialized='each_date'` is dbt's incremental with delete+insert by a date, for tables with a row for each customer
  and date. A first build makes the dates one after the other, so it needs the memory of one; later runs make the latest
  date and those that are not stored. The SQL reads its dates by `at_dates()`. docs/decisions/dates_and_refresh.md

  A table that has other columns than its SQL is made anew. With `on_schema_change='append_new_columns'` it is a record:
  it keeps its columns, and dates that have left the grid.
-#}
{% materialization each_date, default %}
    {%- set date_column = config.require('unique_key') -%}
    {%- set is_record = config.get('on_schema_change') == 'append_new_columns' -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set columns = adapter.get_column_schema_from_query(get_empty_subquery_sql(sql)) -%}
    {%- set stored = adapter.get_columns_in_relation(existing) | map(attribute='name') | list if existing else [] -%}
    {%- set added = columns | rejectattr('name', 'in', stored) | list -%}
    {%- set is_new = existing is none or not existing.is_table or should_full_refresh()
        or (not is_record and (added or stored | length > columns | length)) -%}
    {%- set written = make_intermediate_relation(target_relation) if is_new else target_relation -%}
    {{ run_hooks(pre_hooks) }}
    {%- if is_new -%}{{ drop_relation_if_exists(load_cached_relation(written)) }}{%- endif -%}
    {%- for column in added if not is_new -%}
        {%- call statement('add') -%}
            alter table {{ written }} add column {{ column.quoted }} {{ column.data_type }}
        {%- endcall -%}
    {%- endfor -%}
    {#- one transaction: a run that fails leaves the table as it was -#}
    {%- for first, last in due_spans([] if is_new else stored_dates(date_column)) -%}
        {%- do set_dates(first, last) -%}
        {%- if not is_new -%}
            {%- call statement('delete') -%}delete from {{ written }} where {{ at_dates(date_column) }}{%- endcall -%}
        {%- endif -%}
        {%- call statement('main') -%}
            {%- if is_new and loop.first -%}{{ create_table_as(false, written, sql) }}
            {%- else -%}insert into {{ written }} ({{ columns | map(attribute='quoted') | join(', ') }}) {{ sql }}
            {%- endif -%}
        {%- endcall -%}
    {%- endfor -%}
    {%- if not is_new and not is_record -%}
        {%- call statement('gone') -%}
            delete from {{ written }} where {{ date_column }} not in (select as_of_date from {{ built_model('as_of_dates') }})
        {%- endcall -%}
    {%- elif is_new -%}
        {%- if existing is not none -%}{{ adapter.drop_relation(existing) }}{%- endif -%}
        {{ adapter.rename_relation(written, target_relation) }}
    {%- endif -%}
    {%- do remember_empty_dates(date_column) -%}
    {{ run_hooks(post_hooks) }}
    {%- do persist_docs(target_relation, model) -%}
    {{ adapter.commit() }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- The dates that are made now, or those before them; in a unit test, all that are given. -#}
{% macro at_dates(date_column='as_of_date', before=false) -%}
    {%- set names = ['before_first_date', 'before_last_date'] if before else ['first_date', 'last_date'] -%}
    {%- if is_unit_test() -%}true
    {%- else -%}{{ date_column }} between {{ session_variable(names[0]) }} and {{ session_variable(names[1]) }}
    {%- endif -%}
{%- endmacro %}

{#-
  [(first, last)] of the dates to make: those not stored, and from the last stored one on, which may have been made before
  its day was over. Neighbours go together up to a million rows.
-#}
{% macro due_spans(stored) %}
    {%- set grid = grid_dates() -%}
    {%- set at_once = [1000000 // ([count_of('known_customers'), 1] | max), 1] | max -%}
    {%- set spans = [] -%}
    {%- set going = namespace(length=0) -%}
    {%- for date in grid -%}
        {%- if date not in stored or date >= stored[-1] or loop.last -%}
            {%- if 0 < going.length < at_once -%}
                {%- do spans.append((spans.pop()[0], date)) -%}
                {%- set going.length = going.length + 1 -%}
            {%- else -%}
                {%- do spans.append((date, date)) -%}
                {%- set going.length = 1 -%}
            {%- endif -%}
        {%- else -%}
            {%- set going.length = 0 -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(spans) }}
{% endmacro %}

{% macro set_dates(first, last) %}
    {%- set grid = grid_dates() -%}
    {%- for name, date in {
        'first_date': first,
        'last_date': last,
        'before_first_date': ([first] + grid)[grid.index(first)],
        'before_last_date': ([first] + grid)[grid.index(last)],
    }.items() -%}
        {%- do run_query(set_session_variable(name, "cast('" ~ date ~ "' as date)")) -%}
    {%- endfor -%}
{% endmacro %}

{#- The dates for which a table rightly has no rows: without a record of them they would be made in every run. -#}
{% macro empty_dates() %}{{ return(built_model('as_of_dates').incorporate(path={'identifier': 'empty_dates'})) }}{% endmacro %}

{% macro create_empty_dates() -%}
    {%- if execute -%}create table if not exists {{ empty_dates() }} (table_name {{ dbt.type_string() }}, as_of_date date){%- endif -%}
{%- endmacro %}

{% macro stored_dates(date_column) %}
    {%- set empty = 'select as_of_date from ' ~ empty_dates() ~ " where table_name = '" ~ this.identifier ~ "'" -%}
    {{ return(dates_in('(select ' ~ date_column ~ ' from ' ~ this ~ ' union ' ~ empty ~ ') as stored', date_column)) }}
{% endmacro %}

{% macro remember_empty_dates(date_column) %}
    {%- do run_query('delete from ' ~ empty_dates() ~ " where table_name = '" ~ this.identifier ~ "'") -%}
    {%- do run_query(
        'insert into ' ~ empty_dates() ~ " select '" ~ this.identifier ~ "', as_of_date from " ~ built_model('as_of_dates')
        ~ ' where as_of_date not in (select ' ~ date_column ~ ' from ' ~ this ~ ')'
    ) -%}
{% endmacro %}

{% macro grid_dates() %}{{ return(dates_in(built_model('as_of_dates'), 'as_of_date')) }}{% endmacro %}

{% macro dates_in(relation, date_column) %}
    {{ return(run_query('select distinct ' ~ date_column ~ ' from ' ~ relation ~ ' order by 1').columns[0].values() | list) }}
{% endmacro %}

{% macro count_of(model_name) %}{{ return(run_query('select count(*) from ' ~ built_model(model_name)).rows[0][0]) }}{% endmacro %}

{#-
  The latest as-of date as a literal: it reaches the tables behind views, which a join with `as_of_dates` does not.
  Where nothing is run or built yet, as in unit tests, it is a query.
-#}
{% macro latest_date() %}
    {%- set dates = ref('as_of_dates') -%}
    {%- if execute and not is_unit_test() and flags.WHICH in ('run', 'build', 'test') -%}
        {%- set latest = run_query('select max(as_of_date) from ' ~ dates ~ ' where is_latest').rows[0][0] -%}
        {{ return("cast('" ~ latest ~ "' as date)" if latest else 'cast(null as date)') }}
    {%- endif -%}
    {{ return('(select max(latest.as_of_date) from ' ~ dates ~ ' as latest where latest.is_latest)') }}
{% endmacro %}

{#- Where hardly anything stands behind the last usual day the latest date is one of stragglers, unless somebody set it. -#}
{% macro warn_of_a_thin_end() %}
    {%- if execute and not var('as_of_date') -%}
    {%- set thin = 'select input, as_of_date, week_rows, usual_week_rows, last_usual_day from ' ~ this ~ ' where has_thin_end order by 1' -%}
    {%- for input, as_of_date, rows, usual, last_usual_day in run_query(thin).rows -%}
        {%- do exceptions.warn(
            'inputs.' ~ input ~ ' thins out: the seven days up to ' ~ as_of_date ~ ', the latest date, hold ' ~ rows
            ~ ' that count, and usually ' ~ usual | round | int ~ '. The last usual day is ' ~ last_usual_day ~ '. Deliver what is'
            ~ ' missing, or look no further than what is whole: set as_of_date: ' ~ last_usual_day ~ ' in the vars file.'
        ) -%}
    {%- endfor -%}
    {%- endif -%}
{% endmacro %}
