{{ config(materialized='each_date', unique_key='as_of_date') }}
{#- without events nothing is known; with them, no event means none -#}
{%- set no_event = '0' if has_input('events') else 'cast(null as integer)' -%}
{%- set counts = {
    'visits': '1', 'views': 'visits.views', 'searches': 'visits.searches', 'carts': 'visits.carts',
    'view_visits': 'visits.view_visits', 'converted_visits': 'visits.view_visits * visits.purchases'
} -%}
with

customer_dates as (
    select * from {{ ref('customer_dates') }}
    where {{ at_dates() }}
),

dates as (
    select * from {{ ref('as_of_dates') }}
    where {{ at_dates() }}
),

seen as (
    select
        visits.customer_id,
        dates.as_of_date,
        count(*) as lifetime_visits,
        {%- for count, number in counts.items() %}
        sum(case when visits.occurred_on > dates.quarter_before then {{ number }} else 0 end) as {{ count }}_90d,
        {%- endfor %}
        max(visits.occurred_on) as last_visit_on,
        max(visits.last_cart_at) as last_cart_at,
        max(visits.last_bought_at) as last_bought_at
    from {{ ref('visits') }} as visits
    inner join dates on visits.occurred_on <= dates.as_of_date
    group by visits.customer_id, dates.as_of_date
),

devices as (
    {{ favourite(ref('visits'), 'device', 'occurred_on') }}
),

-- a cart is not left if an order follows, be it in the web shop or elsewhere
orders_after_carts as (
    select distinct
        seen.customer_id,
        seen.as_of_date
    from seen
    inner join {{ ref('order_days') }} as order_days
        on seen.customer_id = order_days.customer_id
        and seen.last_cart_at <= order_days.last_ordered_at
        and seen.as_of_date >= order_days.date_day
),

carts as (
    select
        seen.customer_id,
        seen.as_of_date,
        seen.last_cart_at
    from seen
    left join orders_after_carts
        on seen.customer_id = orders_after_carts.customer_id
        and seen.as_of_date = orders_after_carts.as_of_date
    where
        orders_after_carts.customer_id is null
        and (seen.last_bought_at is null or seen.last_cart_at > seen.last_bought_at)
)

select
    customer_dates.customer_id,
    customer_dates.as_of_date,
    devices.favourite as favourite_device,
    cast(coalesce(seen.lifetime_visits, {{ no_event }}) as integer) as lifetime_visits,
    {%- for count in ['visits', 'views', 'searches', 'carts'] %}
    cast(coalesce(seen.{{ count }}_90d, {{ no_event }}) as integer) as {{ count }}_90d,
    {%- endfor %}
    seen.converted_visits_90d / nullif(cast(seen.view_visits_90d as double), 0) as view_to_order_conversion_90d,
    cast(
        {{ dbt.datediff('seen.last_visit_on', 'customer_dates.as_of_date', 'day') }} as integer
    ) as days_since_last_visit,
    carts.last_cart_at as cart_left_at,
    cast(
        {{ dbt.datediff('carts.last_cart_at', 'customer_dates.as_of_date', 'day') }} as integer
    ) as days_since_cart_left
from customer_dates
{%- for part in ['seen', 'devices', 'carts'] %}
left join {{ part }}
    on customer_dates.customer_id = {{ part }}.customer_id -- noqa: LT02
    and customer_dates.as_of_date = {{ part }}.as_of_date -- noqa: LT02
{%- endfor %}
