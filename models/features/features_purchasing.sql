{{ config(materialized='by_date') }}

with

customer_dates as (
    select * from {{ due('customer_dates') }}
),

habits as (
    select
        {%- for kind in ['channel', 'weekday', 'daypart', 'category'] %}
        max_by(favourites.favourite, favourites.date_day) filter (
            where favourites.kind = '{{ kind }}'
        ) as favourite_{{ kind }},
        {%- endfor %}
        customer_dates.customer_id,
        customer_dates.as_of_date
    from {{ ref('favourites') }} as favourites
    inner join customer_dates
        on favourites.customer_id = customer_dates.customer_id
        and favourites.date_day <= customer_dates.as_of_date
    group by customer_dates.customer_id, customer_dates.as_of_date
),

tastes as (
    select
        customer_dates.customer_id,
        customer_dates.as_of_date,
        cast(max(days.amount_so_far) as double) as favourite_category_amount,
        cast(sum(days.amount) as double) as amount,
        cast(sum(cast(days.quantity * prices.mean_price as decimal(18, 4))) as double) as amount_at_mean_price,
        count(case when days.is_first then 1 end) as category_breadth
    from {{ ref('category_days') }} as days
    inner join {{ ref('category_prices') }} as prices
        on days.category = prices.category
        and days.date_day = prices.date_day
    inner join customer_dates
        on days.customer_id = customer_dates.customer_id
        and days.date_day <= customer_dates.as_of_date
    group by customer_dates.customer_id, customer_dates.as_of_date
)

select
    customer_dates.customer_id,
    customer_dates.as_of_date,
    habits.favourite_channel,
    habits.favourite_weekday,
    habits.favourite_daypart,
    habits.favourite_category,
    tastes.favourite_category_amount / nullif(tastes.amount, 0) as favourite_category_share,
    cast(tastes.category_breadth as integer) as category_breadth,
    tastes.amount / nullif(tastes.amount_at_mean_price, 0) as price_level
from customer_dates
{%- for part in ['habits', 'tastes'] %}
left join {{ part }}
    on customer_dates.customer_id = {{ part }}.customer_id -- noqa: LT02
    and customer_dates.as_of_date = {{ part }}.as_of_date -- noqa: LT02
{%- endfor %}
