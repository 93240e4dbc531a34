with

buyers as (
    select
        customer_id,
        min(date_day) as first_purchase_on,
        {{ hash_position('customer_id') }} as position
    from {{ ref('order_days') }}
    where orders_placed > 0
    group by customer_id
),

sizes as (
    select
        as_of_dates.as_of_date,
        count(*) as buyers
    from {{ ref('as_of_dates') }} as as_of_dates
    inner join buyers on as_of_dates.as_of_date >= buyers.first_purchase_on
    group by as_of_dates.as_of_date
)

-- about 20,000 at each date, by a hash: who has left, when there were more buyers, doesn't come back
select
    buyers.customer_id,
    sizes.as_of_date
from sizes
inner join buyers on sizes.as_of_date >= buyers.first_purchase_on
where buyers.position * sizes.buyers < 20000
