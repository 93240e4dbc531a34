with

as_of_dates as (
    select
        as_of_date,
        cast({{ dbt.dateadd('month', -12, 'as_of_date') }} as date) as year_before,
        cast({{ dbt.dateadd('day', -90, 'as_of_date') }} as date) as quarter_before
    from {{ ref('as_of_dates') }}
),

days as (
    select date_day from {{ ref('order_days') }}
    union
    select occurred_on from {{ ref('stg_events') }}
    union
    select changed_on from {{ ref('stg_consents') }}
    union
    select created_on from {{ ref('stg_customers') }}
)

select
    days.date_day,
    min(case when as_of_dates.as_of_date >= days.date_day then as_of_dates.as_of_date end) as known_on,
    min(case when as_of_dates.year_before >= days.date_day then as_of_dates.as_of_date end) as leaves_12m_on,
    min(case when as_of_dates.quarter_before >= days.date_day then as_of_dates.as_of_date end) as leaves_90d_on
from days
cross join as_of_dates
where days.date_day is not null
group by days.date_day
