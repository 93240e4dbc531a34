{%- set in_cart %}sum(case event_type when 'add_to_cart' then 1 when 'remove_from_cart' then -1 else 0 end){% endset -%}
{#- without events nothing is known; with them, no event means none -#}
{%- set no_event = '0' if has_input('events') else 'null' -%}
with

customer_dates as (
    select * from {{ ref('customer_dates') }}
),

calendar as (
    select * from {{ ref('calendar') }}
),

visits as (
    select
        customer_id,
        occurred_on,
        visit_id,
        min(device) as device,
        sum(case when event_type = 'view' then 1 else 0 end) as views,
        sum(case when event_type = 'search' then 1 else 0 end) as searches,
        case when {{ in_cart }} > 0 then 1 else 0 end as carts,
        max(case when event_type = 'view' then 1 else 0 end) as view_visits,
        max(case when event_type = 'purchase' then 1 else 0 end) as purchases,
        -- a cart that was emptied again is none
        case
            when {{ in_cart }} > 0 then max(case when event_type = 'add_to_cart' then occurred_at end)
        end as last_cart_at,
        max(case when event_type = 'purchase' then occurred_at end) as last_bought_at
    from {{ ref('stg_events') }}
    group by customer_id, occurred_on, visit_id
),

dated_visits as (
    select
        visits.*,
        calendar.known_on,
        calendar.leaves_90d_on
    from visits
    inner join calendar on visits.occurred_on = calendar.date_day
),

states as (
    select
        customer_id,
        known_on as as_of_date,
        count(*) as visits,
        sum(views) as views,
        sum(searches) as searches,
        sum(carts) as carts,
        sum(view_visits) as view_visits,
        sum(view_visits * purchases) as converted_visits,
        max(occurred_on) as last_visit_on,
        max(last_cart_at) as last_cart_at,
        max(last_bought_at) as last_bought_at
    from dated_visits
    where known_on is not null
    group by customer_id, known_on
),

leaving as (
    select
        customer_id,
        leaves_90d_on as as_of_date,
        count(*) as visits,
        sum(views) as views,
        sum(searches) as searches,
        sum(carts) as carts,
        sum(view_visits) as view_visits,
        sum(view_visits * purchases) as converted_visits
    from dated_visits
    where leaves_90d_on is not null
    group by customer_id, leaves_90d_on
),

orders as (
    select
        orders.customer_id,
        calendar.known_on as as_of_date,
        -- an order without a time may have come at any time of its day
        max(
            case
                when orders.ordered_at = orders.ordered_on then {{ dbt.dateadd('day', 1, 'orders.ordered_at') }}
                else orders.ordered_at
            end
        ) as last_ordered_at
    from {{ ref('stg_orders') }} as orders
    inner join calendar on orders.ordered_on = calendar.date_day
    where
        orders.is_counted
        and calendar.known_on is not null
    group by orders.customer_id, calendar.known_on
),

devices as (
    {{ favourite('dated_visits', 'device', '1', 'occurred_on') }}
),

accumulated as (
    select
        customer_dates.customer_id,
        customer_dates.as_of_date,
        coalesce(sum(states.visits) over known, {{ no_event }}) as lifetime_visits,
        {%- for count in ['visits', 'views', 'searches', 'carts', 'view_visits', 'converted_visits'] %}
        coalesce(sum(states.{{ count }}) over known, {{ no_event }})
        - coalesce(sum(leaving.{{ count }}) over known, 0) as {{ count }}_90d,
        {%- endfor %}
        max(states.last_visit_on) over known as last_visit_on,
        max(states.last_cart_at) over known as last_cart_at,
        greatest(max(states.last_bought_at) over known, max(orders.last_ordered_at) over known) as last_bought_at,
        {{ last_known('devices.favourite', 'known') }} as favourite_device
    from customer_dates
    {%- for part in ['states', 'leaving', 'orders', 'devices'] %}
left join {{ part }}
    on customer_dates.customer_id = {{ part }}.customer_id
    and customer_dates.as_of_date = {{ part }}.as_of_date
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
    favourite_device,
    cast(lifetime_visits as integer) as lifetime_visits,
    cast(visits_90d as integer) as visits_90d,
    cast(views_90d as integer) as views_90d,
    cast(searches_90d as integer) as searches_90d,
    cast(carts_90d as integer) as carts_90d,
    converted_visits_90d / nullif(cast(view_visits_90d as double), 0) as view_to_order_conversion_90d,
    cast({{ dbt.datediff('last_visit_on', 'as_of_date', 'day') }} as integer) as days_since_last_visit,
    case when last_bought_at is null or last_cart_at > last_bought_at then last_cart_at end as cart_left_at,
    case
        when last_bought_at is null or last_cart_at > last_bought_at
            then cast({{ dbt.datediff('last_cart_at', 'as_of_date', 'day') }} as integer)
    end as days_since_cart_left
from accumulated
