select
    customer_id,
    category,
    ordered_on as date_day,
    cast(sum(amount) as decimal(18, 4)) as amount,
    cast(sum(quantity) as decimal(18, 4)) as quantity
from {{ ref('stg_order_items') }}
where
    is_counted
    and category is not null
group by customer_id, category, ordered_on
order by customer_id, date_day
