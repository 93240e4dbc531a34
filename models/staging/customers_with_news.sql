{{ config(enabled=inputs_say_what_is_new()) }}
{%- set only_news = reads_only_news() -%}
{%- set keys = {'orders': 'order_id', 'order_items': 'order_item_id', 'products': 'product_id', 'events': 'event_id'} %}
-- depends_on: {{ ref('input_loads') }}

{%- if not (execute and only_news) %}
-- everything is read
select cast(null as string) as customer_id
where false
{%- for input in keys %}
-- depends_on: {{ ref('input_' ~ input) }}
{%- endfor %}
{%- else %}
with

{%- for input, key in keys.items() if has_input(input) %}

fresh_{{ input }} as (
    select *
    from (
        {{ typed_rows(input) | indent(8) }}
    ) as typed
    where {{ is_loaded_since(input, 'loaded_at') }}
),
{%- endfor %}

{#- a row with the key of a fresh one is no longer what it was, nor is one that names a fresh product -#}
{%- for input in ('order_items', 'events') if has_input(input) %}

{{ input }} as (
    select {{ id_read_by(input) }}
    from (
        {{ typed_rows(input) | indent(8) }}
    ) as typed
    where
        {{ keys[input] }} in (select fresh.{{ keys[input] }} from fresh_{{ input }} as fresh)
        {%- if has_input('products') %}
        or product_id in (select fresh.product_id from fresh_products as fresh)
        {%- endif %}
    union all
    select {{ id_read_by(input) }} from fresh_{{ input }}
    union all
    {{ ids_judged_again(input) | indent(4) }}
),
{%- endfor %}

found as (
    select customer_id from fresh_orders
    union
    {{ ids_judged_again('orders') | indent(4) }}
    union
    select stored.customer_id
    from {{ built_model('stg_orders') }} as stored
    where
        stored.order_id in (select fresh_orders.order_id from fresh_orders)
        {%- if has_input('order_items') %}
        or stored.order_id in (select order_items.order_id from order_items)
        {%- endif %}
    {%- if has_input('events') %}
    union
    select customer_id from events
    {%- endif %}
)

select customer_id from found
where customer_id is not null
{%- endif %}
