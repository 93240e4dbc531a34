{{ kept_by_customer(post_hook=["{{ check_losses('order_items') }}"]) }}

-- an as-of date ends a month or is the latest day there is, so a month is known on it as a whole or not at all
select
    customer_id,
    category,
    is_counted,
    cast({{ dbt.date_trunc('month', 'ordered_on') }} as date) as order_month,
    cast(sum(amount) as decimal(18, 4)) as amount,
    cast(sum(quantity) as decimal(18, 4)) as quantity,
    coalesce(max(case when amount > 0 then ordered_on end), min(ordered_on)) as grown_on,
    cast(count(*) as integer) as lines
from ({{ staged_order_items(only_news=true) }}) as order_items
where true {{ and_read_again() }}
group by customer_id, category, is_counted, order_month
order by customer_id, order_month
