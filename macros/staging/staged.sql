{#-
  Events and lines are views that are read row by row: many, and of use only in sum. only_news: the rows that are read again
  (news.sql), for the tables that sum them.
-#}
{% macro staged_events(only_news=false) %}
    {%- set rows = ref('stg_events') if only_news -%}
    {%- if only_news and not reads_only_news() -%}
select * from {{ rows }}
    {%- else -%}
select
    event_id,
    customer_id,
    event_type,
    -- a visit ends at midnight, so that no as-of date cuts through one
    concat(
        cast(cast(occurred_at as date) as string), '|', coalesce(session_id, '')
    ) as visit_id,
    product_id,
    device,
    channel,
    occurred_at,
    cast(occurred_at as date) as occurred_on
from ({{ accepted_rows('events', only_news=only_news) }}) as accepted
    {%- endif -%}
{% endmacro %}

{#- With what is known from the order, because whoever asks for lines asks for whom and when. -#}
{% macro staged_order_items(only_news=false) %}
    {%- set rows = ref('stg_order_items') if only_news -%}
    {%- if only_news and not reads_only_news() -%}
select * from {{ rows }}
    {%- else -%}
select
    accepted.order_item_id,
    accepted.order_id,
    accepted.product_id,
    orders.customer_id,
    products.category,
    coalesce(accepted.quantity, {{ default_of('order_items', 'quantity') }}) as quantity,
    accepted.amount,
    coalesce(accepted.discount_amount, {{ default_of('order_items', 'discount_amount') }}) as discount_amount,
    orders.is_counted,
    orders.ordered_on
from ({{ accepted_rows('order_items', joined=['order_id'], only_news=only_news) }}) as accepted
inner join {{ ref('stg_orders') }} as orders on accepted.order_id = orders.order_id
left join {{ ref('stg_products') }} as products on accepted.product_id = products.product_id
    {%- endif -%}
{% endmacro %}
