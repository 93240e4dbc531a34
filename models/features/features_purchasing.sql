{{ config(materialized='by_date') }}

with

customer_dates as (
    select * from {{ due('customer_dates') }}
),

habits as (
    select
        customer_dates.customer_id,
        customer_dates.as_of_date,
        {%- for kind in ['channel', 'weekday', 'daypart'] %}
        max_by(favourites.favourite, favourites.date_day) filter (
            where favourites.kind = '{{ kind }}'
        ) as favourite_{{ kind }}{{ ',' if not loop.last }}
        {%- endfor %}
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
        max_by(days.favourite_category, days.date_day) filter (
            where days.favourite_category is not null
        ) as favourite_category,
        cast(max(days.favourite_category_amount) as double) as favourite_category_amount,
        cast(sum(days.amount) as double) as amount,
        cast(sum(days.amount_at_mean_price) as double) as amount_at_mean_price,
        sum(days.new_categories) as category_breadth
    from {{ ref('taste_days') }} as days
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
    tastes.favourite_category,
    tastes.favourite_category_amount / nullif(tastes.amount, 0) as favourite_category_share,
    cast(tastes.category_breadth as integer) as category_breadth,
    tastes.amount / nullif(tastes.amount_at_mean_price, 0) as price_level
from customer_dates
{%- for part in ['habits', 'tastes'] %}
left join {{ part }}
    on customer_dates.customer_id = {{ part }}.customer_id
    and customer_dates.as_of_date = {{ part }}.as_of_date
{%- endfor %}
