{#-
  Models at the grain of customer and as-of date are built a date at a time: `materialized='by_date'`. Each is SQL that
  holds for any number of dates and reads what the rest follows from with `due()`; the materialization cuts it there.
  Memory is then that of one date, and a refresh (the variable `refresh`) is the same SQL for fewer rows: everybody on
  dates that are open or new, and on closed ones the customers of whom anything changed. docs/decisions/0021_by_date.md
-#}
{% macro due(model_name) %}{{ ref(model_name) }} /* due */{% endmacro %}

{#- The SQL of a model, reading only rows that are due under a condition. -#}
{% macro cut_at(sql, condition) %}
    {{ return(modules.re.sub('(\\S+) /\\* due \\*/', '(select * from \\1 where ' ~ condition ~ ')', sql)) }}
{% endmacro %}

{#- The conditions of the batches of a full build: date by date, or all dates at once where that is little. -#}
{% macro all_batches() %}
    {%- set dates = run_query('select as_of_date from ' ~ built_model('as_of_dates') ~ ' order by as_of_date').columns[0].values() -%}
    {%- set customers = run_query('select count(*) from ' ~ built_model('known_customers')).rows[0][0] -%}
    {%- set at_once = [2000000 // ([customers, 1] | max), 1] | max -%}
    {%- set batches = [] -%}
    {%- for batch in dates | batch(at_once) -%}
        {%- do batches.append("as_of_date in (date '" ~ batch | join("', date '") ~ "')") -%}
    {%- endfor -%}
    {{ return(batches) }}
{% endmacro %}

{% materialization by_date, default %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set built = make_intermediate_relation(target_relation) -%}
    {%- set replaced = make_backup_relation(target_relation, 'table' if existing is none else existing.type) -%}
    {{ drop_relation_if_exists(load_cached_relation(built)) }}
    {{ drop_relation_if_exists(load_cached_relation(replaced)) }}
    {{ run_hooks(pre_hooks) }}

    {%- for batch in all_batches() %}
        {%- set batch_sql = cut_at(sql, batch) -%}
        {%- call statement('main') -%}
            {{ create_table_as(false, built, batch_sql) if loop.first else 'insert into ' ~ built ~ ' ' ~ batch_sql }}
        {%- endcall -%}
    {%- endfor %}

    {%- if existing is not none -%}{{ adapter.rename_relation(existing, replaced) }}{%- endif -%}
    {{ adapter.rename_relation(built, target_relation) }}
    {{ run_hooks(post_hooks) }}
    {%- do persist_docs(target_relation, model) -%}
    {{ adapter.commit() }}
    {{ drop_relation_if_exists(replaced) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
