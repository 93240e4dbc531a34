{#- What a refresh does anew follows from the rows that changed, see docs/decisions/0021_refresh.md. -#}

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

{#- The ids of a row by which it is found from other inputs; null where the input has no such column. -#}
{% macro id_columns(input, alias) -%}
    {%- for name in ['customer_id', 'order_id', 'product_id'] %}
    {{ alias ~ '.' ~ name if name in input_contract()[input]['columns'] else 'cast(null as string)' }} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
