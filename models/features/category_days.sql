select
    customer_id,
    category,
    is_counted,
    ordered_on as date_day,
    cast(sum(amount) as decimal(18, 4)) as amount,
    cast(sum(quantity) as decimal(18, 4)) as quantity,
    count(*) as lines
from {{ ref('stg_order_items') }}
group by customer_id, category, is_counted, ordered_on
order by customer_id, date_day
