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
    orders.channel,
    {%- for name in ['product_name', 'category', 'brand'] %}
    {{ 'coalesce(products.' ~ name ~ ', accepted.' ~ name ~ ')' if rows_are_lines() else 'products.' ~ name }} as {{ name }},
    {%- endfor %}
    coalesce(accepted.quantity, {{ default_of('order_items', 'quantity') }}) as quantity,
    accepted.amount,
    coalesce(accepted.discount_amount, {{ default_of('order_items', 'discount_amount') }}) as discount_amount,
    orders.is_fully_returned,
    orders.is_counted{{ " and coalesce(accepted.status, 'completed') <> 'cancelled'" if rows_are_lines() }} as is_counted,
    orders.ordered_on,
    orders.returned_on
from (
    {{ accepted_rows('orders', only_news=only_news) if rows_are_lines()
        else accepted_rows('order_items', joined=['order_id'], only_news=only_news) }}
) as accepted
inner join {{ ref('stg_orders') }} as orders
    on accepted.order_id = orders.order_id
    {%- if is_told_by_orders('returns') %}
    and orders.status <> 'credit_note'
    {%- endif %}
left join {{ ref('stg_products') }} as products on accepted.product_id = products.product_id
{%- if rows_are_lines() %}
where
    accepted.product_id is not null
    and not accepted.is_return
{%- endif %}
    {%- endif -%}
{% endmacro %}

{#- Lines summed to orders, and lines that return to credit notes. A line that was cancelled is no part of an order that was not. -#}
{% macro orders_of_lines(lines) -%}
    select
        order_id,
        is_return,
        max(customer_id) as customer_id,
        case
            when min(case when status = 'cancelled' then 1 else 0 end) = 1 then 'cancelled'
            when min(case when status in ('cancelled', 'returned') then 1 else 0 end) = 1 then 'returned'
            when max(case when status = 'pending' then 1 else 0 end) = 1 then 'pending'
            else 'completed'
        end as status,
        min(channel) as channel,
        {%- set kept = "coalesce(status, 'completed') <> 'cancelled'" %}
        {%- for amount in ['amount', 'discount_amount'] %}
        coalesce(sum(case when {{ kept }} then {{ amount }} end), sum({{ amount }})) as {{ amount }},
        {%- endfor %}
        sum(
            case
                when status = 'returned' then amount
                when {{ kept }} and returned_amount > amount then amount
                when {{ kept }} then returned_amount
            end
        ) as returned_amount,
        -- the cost of an order is known where that of each line is
        case when count(case when {{ kept }} then 1 end) = count(case when {{ kept }} then cost_amount end) then sum(case when {{ kept }} then cost_amount end) end
            as cost_amount,
        count(*) as lines,
        min(ordered_at) as ordered_at,
        max(returned_at) as returned_at
    from {{ lines }}
    group by order_id, is_return
{%- endmacro %}
