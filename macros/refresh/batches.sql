{#-
  Large models are built, and brought up to date, in batches. Each is SQL that holds for any rows of what it reads with
  `due()`, and the materialization cuts it there:

    by_date      customer and as-of date. A full build goes date by date, so it needs the memory of one date. A refresh
                 does the dates that are open or new, and the closed ones of the customers of whom anything changed.
    by_customer  facts of a customer, of all time. A refresh does the customers of whom anything changed.
    by_row       rows of an input. A refresh does those that are new or changed, and those that they may concern.

  A refresh deletes a batch and inserts it anew, by the same SQL that built it, so it ends where a full build would.
  docs/decisions/dates_and_refresh.md
-#}
{% macro due(model_name, changes='changed_customers') -%}
    {#- only the order of the run hangs on the changes, so unit tests need not give them -#}
    {%- if not execute -%}{%- do ref(changes) -%}{%- endif -%}
    {{ ref(model_name) }} /* due */
{%- endmacro %}

{#- The SQL of a model, reading only those due rows for which a condition holds. -#}
{% macro cut_at(sql, condition) %}
    {%- set said = condition | replace('\\', '\\\\') -%}
    {{ return(modules.re.sub('(\\S+) /\\* due \\*/', '(select * from \\1 where ' ~ said ~ ')', sql)) }}
{% endmacro %}

{#- One date is told by `=`, which DuckDB carries over to the tables that are joined on it, as it does not with `in`. -#}
{% macro as_dates(dates) %}
    {{ return("as_of_date = date '" ~ dates[0] ~ "'" if dates | length == 1 else "as_of_date in (date '" ~ dates | join("', date '") ~ "')") }}
{% endmacro %}

{#- The batches of a full build: date by date, or several dates at once where that is little. -#}
{% macro date_batches(due_dates) %}
    {%- set customers = run_query('select count(*) from ' ~ built_model('known_customers')).rows[0][0] -%}
    {%- set at_once = [1000000 // ([customers, 1] | max), 1] | max -%}
    {%- set batches = [] -%}
    {%- for dates in due_dates | batch(at_once) -%}{%- do batches.append(as_dates(dates)) -%}{%- endfor -%}
    {{ return(batches) }}
{% endmacro %}

{% macro grid_dates() %}
    {{ return(run_query('select as_of_date from ' ~ built_model('as_of_dates') ~ ' order by as_of_date').columns[0].values() | list) }}
{% endmacro %}

{#- The dates that the model has rows of. -#}
{% macro stored_dates() %}
    {{ return(run_query('select distinct as_of_date from ' ~ this ~ ' order by as_of_date').columns[0].values() | list) }}
{% endmacro %}

{#- The dates of the grid that are open or new. The one that was the latest is done again: it may have become a closed one. -#}
{% macro open_dates() %}
    {%- set grid = grid_dates() -%}
    {%- set stored = stored_dates() -%}
    {%- if var('refresh') and stored and stored[-1] > grid[-1] -%}
        {%- do exceptions.raise_compiler_error(
            'The latest as-of date is ' ~ grid[-1] ~ ', and ' ~ this.identifier ~ ' goes to ' ~ stored[-1]
            ~ ': a refresh follows time forwards only. Build anew with make build (dbt build without the variable `refresh`).'
        ) -%}
    {%- endif -%}
    {%- set open = [] -%}
    {%- for date in grid if date == grid[-1] or date not in stored or date >= stored[-1] -%}{%- do open.append(date) -%}{%- endfor -%}
    {{ return(open) }}
{% endmacro %}

{#-
  The batches of a refresh. What is said of closed dates alone needs those of changed customers only. What is said by the
  fit of the next date is said anew of the last closed date too, because its next date is another one every day.
-#}
{% macro due_date_batches() %}
    {%- set open = [] if config.get('of_closed_dates') else open_dates() -%}
    {%- if config.get('by_next_fit') -%}
        {%- set closed = [] -%}
        {%- for date in grid_dates() if date < open[0] -%}{%- do closed.append(date) -%}{%- endfor -%}
        {%- set open = closed[-1:] + open -%}
    {%- endif -%}
    {%- set batches = [] -%}
    {%- for date in open -%}{%- do batches.append(as_dates([date])) -%}{%- endfor -%}
    {%- set closed = grid_dates() | reject('in', open) | list -%}
    {%- if closed -%}{%- do batches.append(as_dates(closed) ~ ' and ' ~ of_changed_dates()) -%}{%- endif -%}
    {{ return(batches) }}
{% endmacro %}

{% macro of_changed_customers() %}
    {{ return('customer_id in (select customer_id from ' ~ built_model('changed_customers') ~ ')') }}
{% endmacro %}

{#-
  A change on a day says nothing of dates before it. Where few customers changed they are named: a list reaches the tables
  behind a view before they are joined, which a query does not.
-#}
{% macro of_changed_dates() %}
    {%- set few = 20000 -%}
    {%- set changed = run_query('select customer_id from ' ~ built_model('changed_customers') ~ ' limit ' ~ (few + 1)).columns[0].values() -%}
    {%- set named = [] -%}
    {%- for id in changed if changed | length <= few -%}{%- do named.append("'" ~ id | replace("'", "''") ~ "'") -%}{%- endfor -%}
    {{ return(
        ('customer_id in (' ~ named | join(', ') ~ ') and ' if named else '')
        ~ '(customer_id, as_of_date) in (select customers.customer_id, dates.as_of_date from ' ~ built_model('changed_customers')
        ~ ' as customers inner join ' ~ built_model('as_of_dates') ~ ' as dates on customers.changed_from <= dates.as_of_date)'
    ) }}
{% endmacro %}

{% materialization by_date, default %}
    {%- if is_refresh() and 'fit' not in model.tags -%}
        {{ return(refresh_batches(due_date_batches(), 'not ' ~ as_dates(grid_dates()))) }}
    {%- endif -%}
    {{ return(build_batches(date_batches(grid_dates()))) }}
{% endmaterialization %}

{% materialization by_customer, default %}
    {{ return(refresh_batches([of_changed_customers()]) if is_refresh() else build_batches(['true'])) }}
{% endmaterialization %}

{% materialization by_row, default %}
    {{ return(refresh_batches([of_due_rows(config.get('input'))]) if is_refresh() else build_batches(['true'])) }}
{% endmaterialization %}

{#- Whether this run brings the model up to date instead of building it. -#}
{% macro is_refresh() %}
    {{ return(var('refresh') and is_on_record()) }}
{% endmacro %}

{#- What a table is made by: its own SQL, the models that it rests on, and what the views among those say now. -#}
{% macro fingerprint(sql) %}
    {%- set code = [sql] -%}
    {%- set views = [] -%}
    {%- for id in models_before(model.depends_on.nodes) | sort -%}
        {%- set node = graph.nodes[id] -%}
        {%- do code.append(node.raw_code) -%}
        {#- how an input is read shows in its rows -#}
        {%- if node.config.materialized == 'view' and not node.name.startswith('input_') -%}
            {%- do views.append(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(local_md5(code | join ~ view_definitions(views) | join)) }}
{% endmacro %}

{% macro models_before(ids, found=[]) %}
    {%- for id in ids if id in graph.nodes and id not in found -%}
        {%- do found.append(id) -%}
        {%- do models_before(graph.nodes[id].depends_on.nodes, found) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{#- Without a mark nothing would be cut: every batch would be everything. -#}
{% macro check_that_it_can_be_cut(conditions) %}
    {%- if conditions | length > 1 and '/* due */' not in sql -%}
        {%- do exceptions.raise_compiler_error(this.identifier ~ ' is made in batches: read one of its models with due().') -%}
    {%- endif -%}
{% endmacro %}

{% macro build_batches(conditions) %}
    {%- do check_that_it_can_be_cut(conditions) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set built = make_intermediate_relation(target_relation) -%}
    {%- set replaced = make_backup_relation(target_relation, 'table' if existing is none else existing.type) -%}
    {{ drop_relation_if_exists(load_cached_relation(built)) }}
    {{ drop_relation_if_exists(load_cached_relation(replaced)) }}
    {%- for condition in conditions -%}
        {%- set batch_sql = cut_at(sql, condition) if condition != 'true' else sql -%}
        {%- call statement('main') -%}
            {{ create_table_as(false, built, batch_sql) if loop.first else 'insert into ' ~ built ~ '\n' ~ batch_sql }}
        {%- endcall -%}
    {%- endfor -%}
    {%- if existing is not none -%}{{ adapter.rename_relation(existing, replaced) }}{%- endif -%}
    {{ adapter.rename_relation(built, target_relation) }}
    {%- do persist_docs(target_relation, model) -%}
    {%- do run_query('comment on table ' ~ target_relation ~ " is '" ~ fingerprint(sql) ~ "'") -%}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ drop_relation_if_exists(replaced) }}
    {{ return({'relations': [target_relation]}) }}
{% endmacro %}

{% macro refresh_batches(conditions, gone=none) %}
    {%- if table_comment(this) != fingerprint(sql) -%}
        {%- do exceptions.raise_compiler_error(
            this.identifier ~ ' was built by other SQL than it has now: a definition, a variable, a model, a macro or a column of '
            ~ 'an input was changed. A refresh would mix the two. Build anew: make build with your INPUT (dbt build without the '
            ~ 'variable `refresh`).'
        ) -%}
    {%- endif -%}
    {%- do check_that_it_can_be_cut(conditions) -%}
    {#- statements, unlike queries, begin a transaction: all of it is done or nothing -#}
    {%- if gone -%}{%- call statement('gone') -%}delete from {{ this }} where {{ gone }}{%- endcall -%}{%- endif -%}
    {%- for condition in conditions -%}
        {%- call statement('due') -%}delete from {{ this }} where {{ condition }}{%- endcall -%}
        {%- call statement('main') -%}
            insert into {{ this }}
            {{ cut_at(sql, condition) }}
        {%- endcall -%}
    {%- endfor -%}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmacro %}
