with

latest as (
    select
        as_of_date,
        cast({{ dbt.date_trunc('month', 'as_of_date') }} as date) as latest_month
    from {{ ref('as_of_dates') }}
    where is_latest
),

-- a return counts in the month in which it was paid back
movements as (
    select
        ordered_on as date_day,
        1 as orders,
        amount,
        customer_id is not null as is_identified
    from {{ ref('stg_orders') }}
    where is_counted
    union all
    select
        returned_on as date_day,
        0 as orders,
        -amount as amount,
        customer_id is not null as is_identified
    from {{ ref('stg_returns') }}
    where is_counted
),

months as (
    select
        cast({{ dbt.date_trunc('month', 'movements.date_day') }} as date) as revenue_month,
        latest.latest_month,
        latest.as_of_date,
        sum(movements.orders) as orders,
        sum(case when movements.is_identified then movements.orders else 0 end) as identified_orders,
        sum(movements.amount) as revenue,
        sum(case when movements.is_identified then movements.amount else 0 end) as identified_revenue
    from movements
    inner join latest on movements.date_day <= latest.as_of_date
    group by revenue_month, latest.latest_month, latest.as_of_date
)

select
    revenue_month,
    cast(orders as integer) as orders,
    cast(identified_orders as integer) as identified_orders,
    cast(revenue as decimal(18, 2)) as revenue,
    cast(identified_revenue as decimal(18, 2)) as identified_revenue,
    -- of what was paid back as a whole there is no share
    case when revenue > 0 then cast(identified_revenue as double) / cast(revenue as double) end
        as identified_revenue_share,
    -- the month of the latest date is not over yet
    revenue_month < latest_month or {{ dbt.last_day('as_of_date', 'month') }} = as_of_date as is_complete
from months
