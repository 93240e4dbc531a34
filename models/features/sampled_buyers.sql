-- by a hash of the customer, so that who is in the sample depends on nothing else
select
    customer_id,
    row_number() over (order by md5(customer_id), customer_id) as sample_number
from {{ ref('order_days') }}
where orders_placed > 0
group by customer_id
qualify sample_number <= 100000
