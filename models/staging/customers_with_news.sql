{{ config(enabled=inputs_say_what_is_new(), post_hook="{{ remember_loads() }}") }}
{%- set rows = [ref('input_orders'), ref('input_returns'), ref('input_products'), ref('input_events')] -%}
{%- set orders_with_news = ref('orders_with_news') -%}

{%- if not (execute and reads_only_news()) %}
-- everything is read
select cast(null as string) as customer_id
where false
{%- else %}
with

{{ fresh_rows('orders') }},

{{ fresh_rows('returns') }},

{{ fresh_rows('products') }},

{{ fresh_rows('events') }},

found as (
    select customer_id from fresh_orders
    union all
    {{ ids_judged_again('orders') | indent(4) }}
    union all
    -- whose order it was, and whose lines are new
    select stored.customer_id
    from {{ built_model('stg_orders') }} as stored
    where
        stored.order_id in (select fresh_orders.order_id from fresh_orders)
        or stored.order_id in (select fresh_returns.order_id from fresh_returns)
        or stored.order_id in ({{ ids_judged_again('returns', id='order_id') | indent(8) }})
        or stored.order_id in (select orders_with_news.order_id from {{ orders_with_news }} as orders_with_news)
    union all
    select customer_id from fresh_returns
    union all
    {{ ids_judged_again('returns') | indent(4) }}
    union all
    {{ ids_with_news('events') | indent(4) }}
)

select customer_id
from found
where customer_id is not null
group by customer_id
{%- endif %}
