{#-
  Where those of orders, order_items, products and events that are there say when their rows were loaded (`loaded_at` in the
  variable `inputs`), a run reads the rows of customers of whom anything is new, and keeps what is stored of the others.
  Else, and wherever that is not enough, everything is read. docs/decisions/dates_and_refresh.md
-#}

{#- The tables that are kept so. -#}
{% macro facts_by_customer() %}
    {{ return(['stg_orders', 'checked_orders', 'checked_order_items', 'checked_events', 'order_days', 'category_months', 'visits', 'customer_periods']) }}
{% endmacro %}

{% macro inputs_of_facts() %}{{ return(['orders', 'returns', 'order_items', 'products', 'events'] | select('in', var('inputs') or {}) | list) }}{% endmacro %}

{% macro inputs_say_what_is_new() %}
    {%- set silent = [] -%}
    {%- for input in inputs_of_facts() if not (var('inputs')[input] or {}).loaded_at -%}{%- do silent.append(input) -%}{%- endfor -%}
    {{ return(silent == [] and has_input('orders')) }}
{% endmacro %}

{#- Called at the top of each of these tables. -#}
{% macro kept_by_customer(post_hook=[]) %}
    {{ config(
        materialized='incremental' if inputs_say_what_is_new() else 'table',
        incremental_strategy='append',
        on_schema_change='sync_all_columns',
        pre_hook='{{ forget_what_is_read_again() }}',
        post_hook=post_hook + ['{{ remember_loads() }}'],
    ) }}
{% endmacro %}

{#- Whether this run reads only the customers of whom anything is new. -#}
{% macro reads_only_news() %}
    {%- if not inputs_say_what_is_new() or is_unit_test() or flags.FULL_REFRESH -%}{{ return(false) }}{%- endif -%}
    {#- while dbt parses: so that it learns what is read then -#}
    {%- if not execute -%}{{ return(true) }}{%- endif -%}
    {%- set known = found_before('reads_only_news') -%}
    {%- if 'answer' not in known -%}
        {%- set absent = [] -%}
        {%- for name in ['input_loads'] + facts_by_customer() if load_relation(built_model(name)) is none -%}
            {%- do absent.append(name) -%}
        {%- endfor -%}
        {%- set untold, unread = [], [] -%}
        {%- for row in (run_query('select input, loaded_until, loaded_before from ' ~ built_model('input_loads')).rows if absent == []) or [] -%}
            {%- do untold.append(row[0]) if row[1] is none -%}
            {%- do unread.append(row[0]) if row[2] is none -%}
        {%- endfor -%}
        {%- if untold -%}
            {%- do exceptions.warn('No row of ' ~ untold | join(', ') ~ ' has a loaded_at that can be read, so everything is read in every run.') -%}
        {%- endif -%}
        {%- do known.update({'answer': absent == [] and unread == []}) -%}
    {%- endif -%}
    {{ return(known.answer) }}
{% endmacro %}

{#- Whether a row was loaded since the last run, or at the time of the last load if that was not the whole of it. -#}
{% macro is_loaded_since(input, loaded_at) -%}
    {%- set known = found_before('loaded_before') -%}
    {%- if execute and input not in known -%}
        {%- for row in run_query('select input, loaded_before, was_whole from ' ~ built_model('input_loads')).rows -%}
            {%- do known.update({row[0]: ('>' if row[2] else '>=') ~ " cast('" ~ row[1] ~ "' as timestamp)"}) -%}
        {%- endfor -%}
    {%- endif -%}
    coalesce({{ loaded_at }} {{ known[input] }}, true)
{%- endmacro %}

{#- The SQL of a table of the rows of an input that are read again: one look at all rows, for all that read these. -#}
{% macro rows_read_again(input) %}
    {{ config(enabled=inputs_say_what_is_new() and has_input(input)) }}
    {%- set rows = ref('input_' ~ input) -%}
    {%- set ids = ids_read_again(input) -%}
    {%- if reads_only_news() and execute -%}
{{ map_input(input, only_news=true) }}
    {%- else -%}
-- everything is read
select * from {{ rows }}
where false
    {%- endif -%}
{% endmacro %}

{% macro id_read_by(input) %}{{ return('order_id' if input == 'order_items' else 'customer_id') }}{% endmacro %}

{#- The ids by which rows of an input are read again: of customers or, for lines, of orders. -#}
{% macro ids_read_again(input, place=ref) -%}
    {%- if input == 'order_items' -%}
    select order_id from {{ place('orders_with_news') }}
    union all
    select order_id from {{ place('orders_read_again') }} where order_id is not null
    {%- else -%}
    select customer_id from {{ place('customers_with_news') }}
    {%- endif -%}
{%- endmacro %}

{#- Rows without an id are few, none of them is used, and nobody can say which of them are new. -#}
{% macro is_read_again(id, input, place=ref) -%}
    ({{ id }} is null or {{ id }} in ({{ ids_read_again(input, place) }}))
{%- endmacro %}

{#- That id as it is read, over what the mapping says. -#}
{% macro mapped_id(input, mapped, types) -%}
    {%- set name = id_read_by(input) -%}
    {%- set column = input_contract()[input]['columns'][name] -%}
    {%- set text = trimmed(mapped[name] if types[name] in ('varchar', 'string') else 'cast(' ~ mapped[name] ~ ' as string)') -%}
    cast({{ mapped[name] if fits(types[name], column) else said('(' ~ text ~ ')', name, column) }} as string)
{%- endmacro %}

{#- The condition on rows that one of these tables is made of: the same by which it loses rows. -#}
{% macro and_read_again() -%}
    {%- set read_again = is_read_again('customer_id', 'orders') if inputs_say_what_is_new() and not is_unit_test() -%}
    {%- if reads_only_news() %}and {{ read_again }}{% endif -%}
{%- endmacro %}

{#- Before a table gets the rows that are read again, it loses those that it had. -#}
{% macro forget_what_is_read_again() %}
    {%- if is_incremental() -%}
    {%- set input = model.name.removeprefix('checked_') if model.name.startswith('checked_') else 'orders' %}
    delete from {{ this }}
    {%- if reads_only_news() %}
    where {{ is_read_again(id_read_by(input), input, built_model) if has_input(input) else 'false' }}
    {%- endif %}
    {%- endif -%}
{% endmacro %}

{#- Rows of an input whose key a fresh row has, and those that were looked at and may now be judged in another way. -#}
{% macro ids_judged_again(input, id=none) -%}
    {%- set key = input_contract()[input]['key'][0] -%}
    {%- set checked = built_model('checked_' ~ input) -%}
    select checked.{{ id or id_read_by(input) }}
    from {{ checked }} as checked
    where
        checked.reasons like '%after_as_of_date:%'
        or checked.{{ key }} in (select fresh.{{ key }} from fresh_{{ input }} as fresh)
        or checked.{{ key }} in (select copies.{{ key }} from {{ checked }} as copies group by copies.{{ key }} having count(*) > 1)
{%- endmacro %}

{#- A CTE of the rows of an input that were loaded since the last run. -#}
{% macro fresh_rows(input) -%}
fresh_{{ input }} as (
    select *
    from (
        {{ typed_rows(input) | indent(8) }}
    ) as typed
    where {{ is_loaded_since(input, 'loaded_at') if has_input(input) else 'false' }}
)
{%- endmacro %}

{#- By what lines or events are read again: fresh ones, all that name a fresh product, and copies of either. -#}
{% macro ids_with_news(input) -%}
    {%- set key = input_contract()[input]['key'][0] -%}
    select {{ id_read_by(input) }} from fresh_{{ input }}
    union all
    {{ ids_judged_again(input) }}
    union all
    select typed.{{ id_read_by(input) }}
    from ({{ typed_rows(input) }}) as typed
    where
        typed.{{ key }} in (select fresh.{{ key }} from fresh_{{ input }} as fresh)
        or typed.product_id in (select fresh.product_id from fresh_products as fresh)
{%- endmacro %}

{#- Up to which load each of these tables has read each input, and `customers_with_news` has looked: what failed is behind. -#}
{% macro read_loads() %}{{ return(built_model('as_of_dates').incorporate(path={'identifier': 'read_loads'}) if execute) }}{% endmacro %}

{% macro create_read_loads() -%}
    {%- if execute -%}
    create table if not exists {{ read_loads() }} (
        table_name {{ dbt.type_string() }}, input {{ dbt.type_string() }}, loaded_until timestamp, rows_before {{ dbt.type_bigint() }},
        rows_hash {{ dbt.type_bigint() }}, latest_date date, read_with {{ dbt.type_string() }}
    )
    {%- endif -%}
{%- endmacro %}

{% macro remember_loads() %}
    {%- if execute -%}
        {%- do run_query('delete from ' ~ read_loads() ~ " where table_name = '" ~ model.name ~ "'") -%}
        {%- if inputs_say_what_is_new() -%}
            {%- set looked = built_model('input_loads') if model.name == 'customers_with_news'
                else read_loads() ~ " where table_name = 'customers_with_news'" -%}
            {%- do run_query(
                'insert into ' ~ read_loads() ~ " select '" ~ model.name ~ "', input, loaded_until, rows_before, rows_hash, latest_date, read_with from " ~ looked
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{#- What makes the same rows mean something else: everything is then read again. -#}
{% macro read_with() %}
    {#- by name, in whatever order dbt has them -#}
    {%- set written = {} -%}
    {%- for node in graph.nodes.values() if node.name in facts_by_customer() -%}{%- do written.update({node.name: node.checksum.checksum}) -%}{%- endfor -%}
    {%- set told = [written, input_contract(), var('max_amount'), var('history_months')] -%}
    {%- for input, mapping in var('inputs').items() -%}
        {%- set mapped = mapped_columns(input) -%}
        {%- for key in ('where', 'table', 'model', 'query') -%}{%- do told.append(mapping.get(key)) -%}{%- endfor -%}
        {%- do told.append([input, mapped, mapped_types(input, mapped)]) -%}
    {%- endfor -%}
    {{ return(local_md5(tojson(told, sort_keys=true))) }}
{% endmacro %}

{#- The latest load of an input, and that which was read; as literals, because then only rows of that time are looked at. -#}
{% macro loaded_until(input) %}
    {{ return(as_timestamp('select max(loaded_at) from (' ~ typed_rows(input) ~ ') as typed')) }}
{% endmacro %}

{% macro read_until(input) %}
    {{ return(as_timestamp('select min(loaded_until) from ' ~ read_loads() ~ " where input = '" ~ input ~ "'")) }}
{% endmacro %}

{% macro as_timestamp(query) %}
    {%- set found = run_query(query).rows[0][0] if execute and flags.WHICH in ('run', 'build') -%}
    {{ return("cast('" ~ found ~ "' as timestamp)" if found else 'cast(null as timestamp)') }}
{% endmacro %}

{#- How many rows there are before a load, and one number for those of the load itself. -#}
{% macro rows_of_load(input, loaded_at) -%}
    (select count(*) from ({{ typed_rows(input) }}) as typed where loaded_at < {{ loaded_at }}),
    (
        select coalesce(cast(sum(mod({{ key_hash(input_contract()[input]['columns'].keys()) }}, 2147483647)) as {{ dbt.type_bigint() }}), 0)
        from ({{ typed_rows(input) }}) as typed
        where loaded_at = {{ loaded_at }}
    )
{%- endmacro %}
