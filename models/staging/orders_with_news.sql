{{ config(enabled=inputs_say_what_is_new()) }}
{%- set rows = ref('input_order_items') -%}
{%- set product_rows = ref('input_products') -%}
{%- set loads = ref('input_loads') -%}

{%- if not (execute and reads_only_news() and has_input('order_items')) %}
-- everything is read
select cast(null as string) as order_id
where false
{%- else %}
with

{{ fresh_rows('order_items') }},

{{ fresh_rows('products') }}

select order_id
from ({{ ids_with_news('order_items') }}) as found
where order_id is not null
group by order_id
{%- endif %}
