{%- set definitions = published_definitions() -%}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

with

judged_dates as (
    select * from {{ ref('judged_dates') }}
),

order_days as (
    select * from {{ ref('order_days') }}
),

-- a day belongs to one window at most
window_days as (
    select
        days.date_day,
        judged_dates.as_of_date
    from (select distinct date_day from order_days) as days
    inner join judged_dates
        on days.date_day > judged_dates.as_of_date
        and days.date_day <= judged_dates.outcome_until
),

came as (
    select
        order_days.customer_id,
        window_days.as_of_date,
        sum(order_days.orders) as orders,
        sum(order_days.orders_placed) as orders_placed,
        sum(order_days.revenue) as revenue
    from order_days
    inner join window_days on order_days.date_day = window_days.date_day
    group by order_days.customer_id, window_days.as_of_date
),

-- under today's definitions, from what was known on the date
assigned as (
    select
        customer_id,
        {%- for definition in definitions %}
        {{ definition.name }},
        {%- endfor %}
        as_of_date
    from {{ ref('segment_assignments') }}
)

select
    assigned.*,
    judged_dates.outcome_window,
    cast(case when judged_dates.outcome_window > 0 then coalesce(came.orders, 0) end as integer) as orders,
    cast(case when judged_dates.outcome_window > 0 then coalesce(came.revenue, 0) end as decimal(18, 4)) as revenue,
    case when judged_dates.outcome_window > 0 then coalesce(came.orders_placed, 0) > 0 end as has_ordered
from assigned
inner join judged_dates on assigned.as_of_date = judged_dates.as_of_date
left join came
    on assigned.customer_id = came.customer_id
    and assigned.as_of_date = came.as_of_date
