with

as_of_dates as (
    select * from {{ ref('as_of_dates') }}
),

first_seen as (
    select customer_id, min(date_day) as date_day from {{ ref('order_days') }}
    group by customer_id
    union all
    select customer_id, min(occurred_on) from {{ ref('stg_events') }}
    group by customer_id
    union all
    select customer_id, min(changed_on) from {{ ref('stg_consents') }}
    group by customer_id
    union all
    select customer_id, created_on from {{ ref('stg_customers') }}
),

first_known as (
    select
        customer_id,
        min(date_day) as known_from
    from first_seen
    group by customer_id
)

-- nobody says since when: known on the latest date, not before
select
    first_known.customer_id,
    as_of_dates.as_of_date,
    as_of_dates.previous_as_of_date,
    as_of_dates.is_latest
from first_known
inner join as_of_dates
    on first_known.known_from <= as_of_dates.as_of_date
    or (first_known.known_from is null and as_of_dates.is_latest)
