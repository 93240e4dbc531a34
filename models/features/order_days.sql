{{ kept_by_customer() }}

with

orders as (
    select * from {{ ref('stg_orders') }}
    where
        is_counted
        and customer_id is not null {{ and_read_again() }}
),

placed as (
    select
        customer_id,
        ordered_on as date_day,
        1 as orders_placed,
        case when is_fully_returned then 0 else 1 end as orders_kept,
        1 as orders,
        amount as revenue,
        amount - cost_amount as margin,
        discount_amount,
        amount + discount_amount as list_amount,
        case when returned_amount is not null then amount end as returnable_amount,
        cast(null as decimal(18, 4)) as returned_amount,
        -- an order without a time may have come at any time of its day
        case
            when ordered_at = ordered_on then {{ dbt.dateadd('day', 1, 'ordered_at') }} else ordered_at
        end as last_ordered_at
    from orders
),

-- a return counts from its own day, and takes its share of the cost back with the goods
returned as (
    select
        customer_id,
        returned_on as date_day,
        0 as orders_placed,
        0 as orders_kept,
        0 as orders,
        -amount as revenue,
        cast(cost_amount - amount as decimal(18, 4)) as margin,
        cast(null as decimal(18, 4)) as discount_amount,
        cast(null as decimal(18, 4)) as list_amount,
        cast(null as decimal(18, 4)) as returnable_amount,
        amount as returned_amount,
        cast(null as timestamp) as last_ordered_at
    from {{ ref('stg_returns') }}
    where
        is_counted
        and customer_id is not null {{ and_read_again() }}
),

-- an order of which everything came back is none from then on
unmade as (
    select
        customer_id,
        returned_on as date_day,
        0 as orders_placed,
        0 as orders_kept,
        -1 as orders,
        cast(0 as decimal(18, 4)) as revenue,
        cast(null as decimal(18, 4)) as margin,
        cast(null as decimal(18, 4)) as discount_amount,
        cast(null as decimal(18, 4)) as list_amount,
        cast(null as decimal(18, 4)) as returnable_amount,
        cast(null as decimal(18, 4)) as returned_amount,
        cast(null as timestamp) as last_ordered_at
    from orders
    where is_fully_returned
),

movements as (
    select * from placed
    union all
    select * from returned
    union all
    select * from unmade
),

days as (
    select
        customer_id,
        date_day,
        cast(sum(orders_placed) as integer) as orders_placed,
        cast(sum(orders_kept) as integer) as orders_kept,
        cast(sum(orders) as integer) as orders,
        cast(sum(revenue) as decimal(18, 4)) as revenue,
        cast(sum(margin) as decimal(18, 4)) as margin,
        cast(sum(discount_amount) as decimal(18, 4)) as discount_amount,
        cast(sum(list_amount) as decimal(18, 4)) as list_amount,
        cast(sum(returnable_amount) as decimal(18, 4)) as returnable_amount,
        cast(sum(returned_amount) as decimal(18, 4)) as returned_amount,
        max(last_ordered_at) as last_ordered_at
    from movements
    group by customer_id, date_day
),

-- the time since the purchase before: two orders on one day are one purchase, and a later return does not unmake it
purchases as (
    select
        *,
        {{ last_known('case when orders_placed > 0 then date_day end', 'before') }} as last_purchase_day
    from days
    window before as (
        partition by customer_id
        order by date_day
        rows between unbounded preceding and 1 preceding
    )
),

gaps as (
    select
        *,
        cast(
            case when orders_placed > 0 then {{ dbt.datediff('last_purchase_day', 'date_day', 'day') }} end as integer
        ) as gap_days
    from purchases
)

select
    customer_id,
    date_day,
    orders_placed,
    orders_kept,
    orders,
    revenue,
    margin,
    discount_amount,
    list_amount,
    returnable_amount,
    returned_amount,
    last_ordered_at,
    gap_days
from gaps
order by customer_id, date_day
