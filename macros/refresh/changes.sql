{#- What a refresh does anew follows from the rows that changed, see docs/decisions/dates_and_refresh.md. -#}

{#- The rows of an input that a refresh checks again. -#}
{% macro of_due_rows(input) %}
    {{ return(row_bucket('row_hash') ~ ' in (select bucket from ' ~ built_model('due_buckets') ~ " where input = '" ~ input ~ "')") }}
{% endmacro %}

{#- The inputs that there are and that were checked before. -#}
{% macro refreshed_inputs() %}
    {%- set inputs = [] -%}
    {%- for input in input_contract() if execute and var('refresh') and has_input(input) -%}{%- do inputs.append(input) -%}{%- endfor -%}
    {{ return(inputs) }}
{% endmacro %}

{#- The ids of a row by which it is found from other inputs, and its day; null where the input has no such column. -#}
{% macro id_columns(input, alias) -%}
    {%- set columns = input_contract()[input]['columns'] -%}
    {%- set days = {'orders': 'ordered_at', 'events': 'occurred_at', 'consents': 'changed_at'} -%}
    {%- for name in ['customer_id', 'order_id', 'product_id'] %}
    {{ alias ~ '.' ~ name if name in columns else 'cast(null as string)' }} as {{ name }},
    {%- endfor %}
    {{ 'try_cast(' ~ alias ~ '.' ~ days[input] ~ ' as date)' if input in days else 'cast(null as date)' }} as date_day
{%- endmacro %}

{#-
  Whether all that a refresh brings up to date was last built or refreshed in one run, kept as the comment of
  changed_customers: taken away as such a run begins, and set when it ends well. After half a run the changes are known to
  some models and not to others, and no refresh would tell.
-#}
{% macro check_that_refresh_can_follow() %}
    {%- if execute and flags.WHICH in ('run', 'build') -%}
        {%- set state = state_of_refresh() -%}
        {%- if var('refresh') -%}
            {%- if not state or table_comment(state) != 'complete' -%}
                {%- do exceptions.raise_compiler_error(
                    ('The last run did not finish, or built only some of the models' if state else 'There is nothing to bring up to date yet')
                    ~ '. Build first: make build (dbt build without the variable `refresh`).'
                ) -%}
            {%- endif -%}
            {%- for id in selected_resources if id.startswith('model.') and 'fit' in graph.nodes[id].tags -%}
                {%- do exceptions.raise_compiler_error(
                    'A refresh applies the stored fits and makes none, and ' ~ id.split('.')[-1]
                    ~ ' is one: make refresh (dbt build --exclude tag:fit tag:judgement with the variable `refresh`).'
                ) -%}
            {%- endfor -%}
        {%- endif -%}
        {%- if state and brought_up_to_date() | select('in', selected_resources) | list -%}
            comment on table {{ state }} is null
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{% macro record_whether_refresh_can_follow(results) %}
    {%- if execute and flags.WHICH in ('run', 'build') -%}
        {%- set done = [] -%}
        {%- for result in results if result.status | string == 'success' -%}{%- do done.append(result.node.unique_id) -%}{%- endfor -%}
        {%- if state_of_refresh() and not brought_up_to_date() | reject('in', done) | list -%}
            comment on table {{ state_of_refresh() }} is 'complete'
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{#- The models that a refresh brings up to date. -#}
{% macro brought_up_to_date() %}
    {%- set ids = [] -%}
    {%- for node in graph.nodes.values()
            if node.config.materialized in ('by_row', 'by_customer', 'by_date', 'record') and 'fit' not in node.tags -%}
        {%- do ids.append(node.unique_id) -%}
    {%- endfor -%}
    {{ return(ids) }}
{% endmacro %}

{#- The table whose comment says it, if it is built. -#}
{% macro state_of_refresh() %}
    {%- set state = built_model('changed_customers') -%}
    {{ return(adapter.get_relation(state.database, state.schema, state.identifier)) }}
{% endmacro %}
