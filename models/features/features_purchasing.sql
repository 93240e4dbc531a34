with

customer_dates as (
    select * from {{ ref('customer_dates') }}
),

orders as (
    select
        orders.*,
        calendar.known_on,
        mod({{ dbt.datediff("cast('1969-12-29' as date)", 'orders.ordered_on', 'day') }}, 7) as weekday_number,
        -- midnight to the second is a date without a time
        case when orders.ordered_at <> orders.ordered_on then extract(hour from orders.ordered_at) end as hour_of_day
    from {{ ref('stg_orders') }} as orders
    inner join {{ ref('calendar') }} as calendar on orders.ordered_on = calendar.date_day
    where
        orders.is_counted
        and calendar.known_on is not null
),

items as (
    select
        orders.customer_id,
        orders.known_on,
        orders.ordered_on,
        products.category,
        items.quantity,
        items.amount
    from {{ ref('stg_order_items') }} as items
    inner join orders on items.order_id = orders.order_id
    left join {{ ref('stg_products') }} as products on items.product_id = products.product_id
),

-- money: what was taken off, what came back
money as (
    select
        order_days.customer_id,
        calendar.known_on as as_of_date,
        sum(order_days.discount_amount) as discount_amount,
        sum(order_days.list_amount) as list_amount,
        sum(order_days.returned_amount) as returned_amount,
        sum(order_days.returnable_amount) as returnable_amount
    from {{ ref('order_days') }} as order_days
    inner join {{ ref('calendar') }} as calendar on order_days.date_day = calendar.date_day
    where calendar.known_on is not null
    group by order_days.customer_id, calendar.known_on
),

-- habits: when and where
channels as (
    {{ favourite('orders', 'channel', '1', 'ordered_on') }}
),

weekdays as (
    {{ favourite(
        'orders',
        "case weekday_number when 0 then 'monday' when 1 then 'tuesday' when 2 then 'wednesday' when 3 then 'thursday'
         when 4 then 'friday' when 5 then 'saturday' else 'sunday' end",
        '1',
        'ordered_on'
    ) }}
),

dayparts as (
    {{ favourite(
        'orders',
        "case when hour_of_day < 6 then 'night' when hour_of_day < 12 then 'morning'
         when hour_of_day < 18 then 'afternoon' when hour_of_day >= 18 then 'evening' end",
        '1',
        'ordered_on'
    ) }}
),

-- tastes: which categories, and at what price against others in the same category
categories as (
    {{ favourite('items', 'category', 'amount', 'ordered_on') }}
),

category_days as (
    select
        customer_id,
        category,
        known_on,
        ordered_on,
        sum(amount) as amount,
        sum(quantity) as quantity,
        row_number() over (partition by customer_id, category order by ordered_on) as purchase_number
    from items
    where category is not null
    group by customer_id, category, known_on, ordered_on
),

-- what a unit cost on average up to the day
category_prices as (
    select
        category,
        ordered_on,
        cast(sum(sum(amount)) over (partition by category order by ordered_on) as double)
        / nullif(cast(sum(sum(quantity)) over (partition by category order by ordered_on) as double), 0) as mean_price
    from category_days
    group by category, ordered_on
),

tastes as (
    select
        category_days.customer_id,
        category_days.known_on as as_of_date,
        sum(case when category_days.purchase_number = 1 then 1 else 0 end) as new_categories,
        sum(cast(category_days.quantity * category_prices.mean_price as decimal(18, 4))) as amount_at_mean_price
    from category_days
    inner join category_prices
        on category_days.category = category_prices.category
        and category_days.ordered_on = category_prices.ordered_on
    group by category_days.customer_id, category_days.known_on
),

accumulated as (
    select
        customer_dates.customer_id,
        customer_dates.as_of_date,
        cast(sum(money.discount_amount) over known as double) as discount_amount,
        cast(sum(money.list_amount) over known as double) as list_amount,
        cast(sum(money.returned_amount) over known as double) as returned_amount,
        cast(sum(money.returnable_amount) over known as double) as returnable_amount,
        {{ last_known('channels.favourite', 'known') }} as favourite_channel,
        {{ last_known('weekdays.favourite', 'known') }} as favourite_weekday,
        {{ last_known('dayparts.favourite', 'known') }} as favourite_daypart,
        {{ last_known('categories.favourite', 'known') }} as favourite_category,
        cast(max(categories.favourite_weight) over known as double) as favourite_category_amount,
        cast(sum(categories.weight) over known as double) as category_amount,
        sum(tastes.new_categories) over known as category_breadth,
        cast(sum(tastes.amount_at_mean_price) over known as double) as amount_at_mean_price
    from customer_dates
    {%- for states in ['money', 'channels', 'weekdays', 'dayparts', 'categories', 'tastes'] %}
left join {{ states }}
    on customer_dates.customer_id = {{ states }}.customer_id
    and customer_dates.as_of_date = {{ states }}.as_of_date
    {%- endfor %}
    window known as (
        partition by customer_dates.customer_id
        order by customer_dates.as_of_date
        rows between unbounded preceding and current row
    )
)

select
    customer_id,
    as_of_date,
    favourite_channel,
    favourite_weekday,
    favourite_daypart,
    favourite_category,
    favourite_category_amount / nullif(category_amount, 0) as favourite_category_share,
    cast(category_breadth as integer) as category_breadth,
    category_amount / nullif(amount_at_mean_price, 0) as price_level,
    discount_amount / nullif(list_amount, 0) as discount_share,
    case when returnable_amount > 0 then coalesce(returned_amount, 0) / returnable_amount end as return_share
from accumulated
