{{ config(severity='warn') }}

-- nothing happened in the month before the latest date: is it a typing error, or is the data old?
with

last_days as (
    select
        latest.as_of_date,
        max(calendar.date_day) as last_day_before
    from {{ ref('as_of_dates') }} as latest
    inner join {{ ref('calendar') }} as calendar on latest.as_of_date > calendar.date_day
    where latest.is_latest
    group by latest.as_of_date
)

select
    as_of_date,
    last_day_before
from last_days
where {{ dbt.datediff('last_day_before', 'as_of_date', 'day') }} > 31
