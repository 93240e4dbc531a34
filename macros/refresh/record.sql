{#-
  What is published stays: `materialized='record'` is made date by date like other large models, but a date that is no
  longer due keeps its rows, and so do columns that no longer come. `is_frozen` says that a date is due once, and as
  long as it is open; without it all dates of the grid are, but for the first one, whose date before has gone, and in a
  refresh those before the first change.
  The SQL reads the dates that are due from `due('as_of_dates')`. docs/decisions/publishing.md
-#}
{% materialization record, default %}
    {%- if not is_on_record() -%}{{ return(build_batches(date_batches(grid_dates()))) }}{%- endif -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set batches = [] -%}
    {%- if config.get('is_frozen') -%}
        {#- each date is compared with the one before, so that one has to be there -#}
        {%- for date in open_dates() -%}{%- do batches.append(as_dates([date])) -%}{%- endfor -%}
    {%- else -%}
        {%- set grid = grid_dates() -%}
        {%- set due = grid if grid[0] not in stored_dates() else grid[1:] -%}
        {%- if var('refresh') -%}
            {%- set first_change = run_query('select min(changed_from) from ' ~ built_model('changed_customers')).rows[0][0] -%}
            {%- set open = open_dates() -%}
            {%- set concerned = [] -%}
            {%- for date in due -%}
                {#- a move is one since the date before -#}
                {%- if date in open or loop.previtem in open or (first_change and date >= first_change) -%}
                    {%- do concerned.append(date) -%}
                {%- endif -%}
            {%- endfor -%}
            {%- set due = concerned -%}
        {%- endif -%}
        {%- if due -%}{%- set batches = date_batches(due) -%}{%- endif -%}
    {%- endif -%}
    {{ run_hooks(pre_hooks) }}
    {%- set columns = adapter.get_column_schema_from_query(get_empty_subquery_sql(sql)) -%}
    {%- set recorded = adapter.get_columns_in_relation(target_relation) | map(attribute='name') | list -%}
    {%- set added = columns | rejectattr('name', 'in', recorded) | list -%}
    {#- one transaction: a run that fails leaves the record as it was -#}
    {%- for column in added -%}
        {%- call statement('add') -%}
            alter table {{ target_relation }} add column {{ adapter.quote(column.name) }} {{ column.data_type }}
        {%- endcall -%}
    {%- endfor -%}
    {%- for batch in batches -%}
        {%- call statement('clear') -%}delete from {{ target_relation }} where {{ batch }}{%- endcall -%}
        {%- call statement('main') -%}
            insert into {{ target_relation }} ({{ columns | map(attribute='quoted') | join(', ') }})
            {{ cut_at(sql, batch) }}
        {%- endcall -%}
    {%- endfor -%}
    {{ run_hooks(post_hooks) }}
    {%- do persist_docs(target_relation, model) -%}
    {{ adapter.commit() }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- Whether there is a table to add to; restating begins a new one. -#}
{% macro is_on_record() %}
    {%- if not execute -%}{{ return(false) }}{%- endif -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ return(existing is not none and existing.is_table and not should_full_refresh()) }}
{% endmacro %}

{#-
  The latest as-of date as a literal: it reaches the tables behind views, which a join with `as_of_dates` does not.
  Where nothing is run or built yet, as in unit tests, it is a query.
-#}
{% macro latest_date() %}
    {%- set dates = ref('as_of_dates') -%}
    {%- if execute and not is_unit_test() and flags.WHICH in ('run', 'build', 'test') -%}
        {{ return("cast('" ~ run_query('select max(as_of_date) from ' ~ dates ~ ' where is_latest').rows[0][0] ~ "' as date)") }}
    {%- endif -%}
    {{ return('(select max(latest.as_of_date) from ' ~ dates ~ ' as latest where latest.is_latest)') }}
{% endmacro %}
