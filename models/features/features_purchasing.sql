{{ config(materialized='each_date', unique_key='as_of_date') }}
{%- set weekday = "case weekday_number when 0 then 'monday' when 1 then 'tuesday' when 2 then 'wednesday'
    when 3 then 'thursday' when 4 then 'friday' when 5 then 'saturday' else 'sunday' end" -%}
{%- set daypart = "case when hour_of_day < 6 then 'night' when hour_of_day < 12 then 'morning'
    when hour_of_day < 18 then 'afternoon' when hour_of_day >= 18 then 'evening' end" -%}
{%- set habits = {'channel': 'channel', 'weekday': weekday, 'daypart': daypart} -%}
with

customer_dates as (
    select * from {{ ref('customer_dates') }}
    where {{ at_dates() }}
),

dates as (
    select * from {{ ref('as_of_dates') }}
    where {{ at_dates() }}
),

orders as (
    select
        customer_id,
        channel,
        ordered_on,
        mod({{ dbt.datediff("cast('1969-12-29' as date)", 'ordered_on', 'day') }}, 7) as weekday_number,
        -- midnight to the second is a date without a time
        case when ordered_at <> ordered_on then extract(hour from ordered_at) end as hour_of_day
    from {{ ref('stg_orders') }}
    where is_counted
),
{% for habit, value in habits.items() %}
{{ habit }}s as (
    {{ favourite('orders', value, 'ordered_on') }}
),
{% endfor %}
-- the mean price so far, as known at the end of a month
prices as (
    select
        category,
        order_month,
        cast(sum(sum(amount)) over so_far as double)
        / nullif(cast(sum(sum(quantity)) over so_far as double), 0) as mean_price
    from {{ ref('category_months') }}
    where is_counted
    group by category, order_month
    window so_far as (
        partition by category
        order by order_month
        rows between unbounded preceding and current row
    )
),

by_category as (
    select
        months.customer_id,
        dates.as_of_date,
        months.category,
        sum(months.amount) as amount,
        sum(cast(months.quantity * prices.mean_price as decimal(18, 4))) as amount_at_mean_price,
        coalesce(max(case when months.amount > 0 then months.grown_on end), min(months.grown_on)) as grown_on
    from {{ ref('category_months') }} as months
    inner join dates on months.order_month <= dates.as_of_date
    inner join prices
        on months.category = prices.category
        and months.order_month = prices.order_month
    where months.is_counted
    group by months.customer_id, dates.as_of_date, months.category
),

tastes as (
    select
        customer_id,
        as_of_date,
        {{ first_to_reach('category', 'amount', 'grown_on') }} as favourite,
        cast(max(amount) as double) as favourite_amount,
        cast(sum(amount) as double) as amount,
        cast(sum(amount_at_mean_price) as double) as amount_at_mean_price,
        count(*) as category_breadth
    from by_category
    group by customer_id, as_of_date
)

select
    customer_dates.customer_id,
    customer_dates.as_of_date,
    {%- for habit in habits %}
    {{ habit }}s.favourite as favourite_{{ habit }},
    {%- endfor %}
    tastes.favourite as favourite_category,
    tastes.favourite_amount / nullif(tastes.amount, 0) as favourite_category_share,
    cast(tastes.category_breadth as integer) as category_breadth,
    tastes.amount / nullif(tastes.amount_at_mean_price, 0) as price_level
from customer_dates
{%- for part in ['channels', 'weekdays', 'dayparts', 'tastes'] %}
left join {{ part }}
    on customer_dates.customer_id = {{ part }}.customer_id -- noqa: LT02
    and customer_dates.as_of_date = {{ part }}.as_of_date -- noqa: LT02
{%- endfor %}
