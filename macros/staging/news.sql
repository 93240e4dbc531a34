{#-
  Where orders, order_items, products and events all say when their rows were loaded (`loaded_at` in the variable `inputs`),
  a run reads the rows of customers of whom anything is new, and keeps what is stored of the others. Else, and wherever
  that is not enough, everything is read. docs/decisions/dates_and_refresh.md
-#}

{#- The tables that are kept so. -#}
{% macro facts_by_customer() %}
    {{ return(['stg_orders', 'checked_orders', 'checked_order_items', 'checked_events', 'order_days', 'category_months', 'visits', 'customer_periods']) }}
{% endmacro %}

{% macro inputs_say_what_is_new() %}
    {%- set silent = [] -%}
    {%- for input, mapping in (var('inputs') or {}).items() if input in inputs_of_facts() and not (mapping or {}).loaded_at -%}
        {%- do silent.append(input) -%}
    {%- endfor -%}
    {{ return(silent == [] and has_input('orders')) }}
{% endmacro %}

{% macro inputs_of_facts() %}{{ return(['orders', 'order_items', 'products', 'events']) }}{% endmacro %}

{#- Called at the top of each of these tables. -#}
{% macro kept_by_customer(post_hook=[]) %}
    {{ config(
        materialized='incremental' if inputs_say_what_is_new() else 'table',
        incremental_strategy='append',
        on_schema_change='fail',
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
        {%- do known.update({
            'answer': absent == [] and run_query('select 1 from ' ~ built_model('input_loads') ~ ' where loaded_before is null').rows | length == 0
        }) -%}
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
    {%- if reads_only_news() -%}
{{ map_input(input, only_news=true) }}
    {%- else -%}
-- everything is read
select * from {{ rows }}
where false
-- depends_on: {{ ref('orders_read_again' if input == 'order_items' else 'customers_with_news') }}
    {%- endif -%}
{% endmacro %}

{#- The ids by which rows of an input are read again: of customers or, for lines, of their orders. -#}
{% macro ids_read_again(input, place=ref) -%}
    {%- if input == 'order_items' -%}
    select order_id from {{ place('orders_read_again') }} where order_id is not null
    {%- else -%}
    select customer_id from {{ place('customers_with_news') }}
    {%- endif -%}
{%- endmacro %}

{% macro id_read_by(input) %}{{ return('order_id' if input == 'order_items' else 'customer_id') }}{% endmacro %}

{#- For facts that are made of facts. -#}
{% macro and_read_again() -%}
    {%- if reads_only_news() %}and customer_id in ({{ ids_read_again('orders') }}){% endif -%}
{%- endmacro %}

{#- Of stored rows those that a new date, a new reference or another copy may make good or bad. -#}
{% macro ids_judged_again(input) -%}
    {%- set key = input_contract()[input]['key'][0] -%}
    select checked.{{ id_read_by(input) }}
    from {{ built_model('checked_' ~ input) }} as checked
    where
        checked.reasons like '%after_as_of_date:%'
        or checked.reasons like '%unknown_reference:%'
        or checked.{{ key }} in (
            select copies.{{ key }} from {{ built_model('checked_' ~ input) }} as copies
            where copies.reasons like '%duplicate:%'
        )
{%- endmacro %}

{#- The condition on rows as they come, over the expressions of the mapping. -#}
{% macro is_read_again(input, mapped, types) -%}
    {%- if not execute -%}{{ return(ids_read_again(input)) }}{%- endif -%}
    {%- set texts = {} -%}
    {%- for name in (id_read_by(input), 'loaded_at') -%}
        {%- set column = input_contract()[input]['columns'].get(name, {'type': 'timestamp'}) -%}
        {%- set text = trimmed(mapped[name] if types[name] in ('varchar', 'string') else 'cast(' ~ mapped[name] ~ ' as string)') -%}
        {%- do texts.update({name: mapped[name] if fits(types[name], column) else said('(' ~ text ~ ')', name, column)}) -%}
    {%- endfor -%}
    (
        cast({{ texts[id_read_by(input)] }} as string) in ({{ ids_read_again(input) }})
        or {{ is_loaded_since(input, 'try_cast(' ~ texts.loaded_at ~ ' as timestamp)') }}
    )
{%- endmacro %}

{#- Before a table gets the rows that are read again, it loses those that it had. -#}
{% macro forget_what_is_read_again() %}
    {%- if is_incremental() -%}
    delete from {{ this }}
    {%- if reads_only_news() %}
    where
        {%- set input = this.identifier.removeprefix('checked_') %}
        {%- if input != this.identifier and not has_input(input) %}
        false
        {%- elif input != this.identifier %}
        {{ id_read_by(input) }} in ({{ ids_read_again(input, built_model) }})
        or {{ is_loaded_since(input, 'loaded_at') }}
        {%- if has_key(input) %}
        {%- set key = input_contract()[input]['key'][0] %}
        or {{ key }} in (select again.{{ key }} from {{ built_model(input ~ '_read_again') }} as again)
        {%- endif %}
        {%- else %}
        customer_id in ({{ ids_read_again('orders', built_model) }})
        {%- endif %}
    {%- endif %}
    {%- endif -%}
{% endmacro %}

{#- Up to which load each of the tables has read each input: one that failed is behind. -#}
{% macro read_loads() %}{{ return(built_model('as_of_dates').incorporate(path={'identifier': 'read_loads'}) if execute) }}{% endmacro %}

{% macro create_read_loads() -%}
    {%- if execute -%}
    create table if not exists {{ read_loads() }}
    (made_table {{ dbt.type_string() }}, input {{ dbt.type_string() }}, loaded_until timestamp, rows_hash {{ dbt.type_bigint() }}, latest_date date, read_with {{ dbt.type_string() }})
    {%- endif -%}
{%- endmacro %}

{% macro remember_loads() %}
    {%- if execute and inputs_say_what_is_new() -%}
        {%- do run_query('delete from ' ~ read_loads() ~ " where made_table = '" ~ this.identifier ~ "'") -%}
        {%- do run_query(
            "insert into " ~ read_loads() ~ " select '" ~ this.identifier ~ "', input, loaded_until, rows_hash, latest_date, read_with from " ~ built_model('input_loads')
        ) -%}
    {%- endif -%}
{% endmacro %}

{#- What makes the same rows mean something else: everything is then read again. -#}
{% macro read_with() %}
    {%- set mappings = {} -%}
    {%- for input, mapping in var('inputs').items() -%}
        {%- set told = {} -%}
        {%- for key, value in mapping.items() if key != 'file' -%}{%- do told.update({key: value}) -%}{%- endfor -%}
        {%- do mappings.update({input: told}) -%}
    {%- endfor -%}
    {{ return(local_md5(tojson([mappings, var('max_amount'), var('history_months'), var('time_zone')], sort_keys=true))) }}
{% endmacro %}

{#- The latest load of an input, and that which was read; as literals, because then only rows of that time are looked at. -#}
{% macro loaded_until(input) %}
    {{ return(as_timestamp('select max(try_cast(loaded_at as timestamp)) from ' ~ ref('input_' ~ input))) }}
{% endmacro %}

{% macro read_until(input) %}
    {{ return(as_timestamp('select min(loaded_until) from ' ~ read_loads() ~ " where input = '" ~ input ~ "'")) }}
{% endmacro %}

{% macro as_timestamp(query) %}
    {%- set found = run_query(query).rows[0][0] if execute and flags.WHICH in ('run', 'build') -%}
    {{ return("cast('" ~ found ~ "' as timestamp)" if found else 'cast(null as timestamp)') }}
{% endmacro %}

{#- One number for the rows of a load. -#}
{% macro hash_of_load(input, loaded_at) -%}
    select coalesce(cast(sum(mod({{ key_hash(input_contract()[input]['columns'].keys()) }}, 2147483647)) as {{ dbt.type_bigint() }}), 0)
    from ({{ typed_rows(input) }}) as typed
    where loaded_at = {{ loaded_at }}
{%- endmacro %}
