with

days as (
    select
        category,
        date_day,
        sum(amount) as amount,
        sum(quantity) as quantity
    from {{ ref('category_days') }}
    group by category, date_day
)

select
    category,
    date_day,
    cast(sum(amount) over so_far as double) / nullif(cast(sum(quantity) over so_far as double), 0) as mean_price
from days
window so_far as (
    partition by category
    order by date_day
    rows between unbounded preceding and current row
)
