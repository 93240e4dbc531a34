{{ config(post_hook="{{ warn_of_a_thin_end() }}") }}
{%- set week_begins = 'cast(' ~ dbt.dateadd('day', -6, 'days.date_day') ~ ' as date)' -%}
with

latest as (
    select
        as_of_date,
        cast({{ dbt.dateadd('day', -182, 'as_of_date') }} as date) as half_a_year_before,
        cast({{ dbt.dateadd('day', -7, 'as_of_date') }} as date) as week_before
    from {{ ref('as_of_dates') }}
    where is_latest
),

days as (
    select
        'orders' as input,
        ordered_on as date_day,
        count(*) as dated_rows
    from {{ ref('stg_orders') }}
    where status not in ('cancelled', 'returned', 'credit_note')
    group by ordered_on
    union all
    select
        'events' as input,
        occurred_on as date_day,
        sum(events) as dated_rows
    from {{ ref('visits') }}
    group by occurred_on
),

-- the seven days that end with each day on which anything was done
weeks as (
    select
        days.input,
        days.date_day,
        days.dated_rows,
        sum(within.dated_rows) as week_rows
    from days
    inner join latest on days.date_day > latest.half_a_year_before
    inner join days as within
        on days.input = within.input
        and within.date_day between {{ week_begins }} and days.date_day
    group by days.input, days.date_day, days.dated_rows
),

-- of a few days nobody knows what is usual
usual as (
    select
        weeks.input,
        median(weeks.week_rows) as usual_week_rows
    from weeks
    inner join latest on weeks.date_day <= latest.week_before
    group by weeks.input
    having count(*) >= 28
),

last_week as (
    select
        days.input,
        sum(days.dated_rows) as week_rows
    from days
    inner join latest on days.date_day > latest.week_before
    group by days.input
)

select
    usual.input,
    latest.as_of_date,
    cast(coalesce(max(last_week.week_rows), 0) as integer) as week_rows,
    usual.usual_week_rows,
    -- neither a day nor its week holds less than a fifth of what is usual
    max(
        case
            when 5 * 7 * weeks.dated_rows >= usual.usual_week_rows and 5 * weeks.week_rows >= usual.usual_week_rows
                then weeks.date_day
        end
    ) as last_usual_day,
    usual.usual_week_rows >= 10 and 5 * coalesce(max(last_week.week_rows), 0) < usual.usual_week_rows as has_thin_end
from usual
cross join latest
inner join weeks on usual.input = weeks.input
left join last_week on usual.input = last_week.input
group by usual.input, latest.as_of_date, usual.usual_week_rows
