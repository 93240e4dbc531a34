with

orders as (
    select
        order_id,
        customer_id,
        ordered_on
    from {{ ref('stg_orders') }}
    where is_counted
),

products as (
    select
        product_id,
        category
    from {{ ref('stg_products') }}
    where category is not null
),

category_days as (
    select
        orders.customer_id,
        products.category,
        orders.ordered_on,
        sum(items.amount) as amount,
        sum(items.quantity) as quantity,
        row_number() over (
            partition by orders.customer_id, products.category
            order by orders.ordered_on
        ) as purchase_number
    from {{ ref('stg_order_items') }} as items
    inner join orders on items.order_id = orders.order_id
    inner join products on items.product_id = products.product_id
    group by orders.customer_id, products.category, orders.ordered_on
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
        category_days.ordered_on as date_day,
        sum(category_days.amount) as amount,
        sum(cast(category_days.quantity * category_prices.mean_price as decimal(18, 4))) as amount_at_mean_price,
        count(case when category_days.purchase_number = 1 then 1 end) as new_categories
    from category_days
    inner join category_prices
        on category_days.category = category_prices.category
        and category_days.ordered_on = category_prices.ordered_on
    group by category_days.customer_id, category_days.ordered_on
),

favourites as (
    {{ favourite('category_days', 'category', 'amount', 'ordered_on') }}
)

select
    tastes.customer_id,
    tastes.date_day,
    tastes.amount,
    tastes.amount_at_mean_price,
    tastes.new_categories,
    favourites.favourite as favourite_category,
    favourites.favourite_weight as favourite_category_amount
from tastes
left join favourites
    on tastes.customer_id = favourites.customer_id
    and tastes.date_day = favourites.date_day
