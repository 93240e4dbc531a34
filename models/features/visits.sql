{{ kept_by_customer(post_hook=["{{ check_losses('events') }}"]) }}
{%- set in_cart %}sum(case event_type when 'add_to_cart' then 1 when 'remove_from_cart' then -1 else 0 end){% endset -%}

select
    customer_id,
    occurred_on,
    visit_id,
    min(device) as device,
    count(*) as events,
    count(case when event_type = 'view' then 1 end) as views,
    count(case when event_type = 'search' then 1 end) as searches,
    case when {{ in_cart }} > 0 then 1 else 0 end as carts,
    max(case when event_type = 'view' then 1 else 0 end) as view_visits,
    max(case when event_type = 'purchase' then 1 else 0 end) as purchases,
    -- a cart that was emptied again is none
    case when {{ in_cart }} > 0 then max(case when event_type = 'add_to_cart' then occurred_at end) end as last_cart_at,
    max(case when event_type = 'purchase' then occurred_at end) as last_bought_at
from ({{ staged_events(only_news=true) }}) as events
where true {{ and_read_again() }}
group by customer_id, occurred_on, visit_id
order by customer_id, occurred_on
