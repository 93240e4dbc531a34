{{
    config(
        post_hook=["{{ check_published_dates() }}", "{{ create_empty_dates() }}", "{{ create_read_loads() }}"],
    )
}}
{%- set first_of_month = dbt.date_trunc('month', 'latest_date') -%}
with

-- what customers did: neither an order that does not count nor a registration, a return or a consent says that the
-- data goes on
dates as (
    select
        try_cast(ordered_at as date) as date_day,
        case when lower(cast(status as string)) in ('cancelled', 'returned') then 0 else 1 end as is_activity
    from {{ ref('input_orders') }}
    union all
    select
        try_cast(occurred_at as date) as date_day,
        1 as is_activity
    from {{ ref('input_events') }}
),

dated as (
    select
        date_day,
        is_activity,
        count(*) as dated_rows
    from dates
    -- to DuckDB 'infinity' is a date
    where date_day < cast('9999-12-31' as date)
    group by date_day, is_activity
),

-- where no order counts, those that do not
days as (
    select
        date_day,
        dated_rows
    from dated
    where is_activity = (select max(known.is_activity) from dated as known)
),

neighbours as (
    select
        date_day,
        lead(date_day) over (order by date_day) as next_date_day,
        count(*) over (order by date_day) as days_so_far,
        count(*) over () as all_days,
        sum(dated_rows) over (order by date_day) as rows_so_far,
        sum(dated_rows) over () as all_rows
    from days
),

-- the data ends before a gap of more than a year if hardly anything stands behind it: those are typing errors
latest as (
    {%- if var('as_of_date') %}
    select cast('{{ var('as_of_date') }}' as date) as latest_date
    {%- else %}
    select min(date_day) as latest_date
    from neighbours
    where
        next_date_day is null
        or (
            {{ dbt.datediff('date_day', 'next_date_day', 'day') }} > 366
            and (
                rows_so_far > 0.99 * all_rows
                or (all_days - days_so_far <= 2 and days_so_far >= 3 * (all_days - days_so_far))
            )
        )
    {%- endif %}
),

grid as (
    select
        latest_date,
        latest_date as as_of_date
    from latest
    -- nothing is dated where no date can be read: the checks of the rows say so
    where latest_date is not null
    {%- for months_back in range(var('history_months')) %}
    union
    select
        latest_date,
        cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', -months_back, first_of_month)) }} as date) as as_of_date
    from latest
    where latest_date is not null
    {%- endfor %}
)

select
    as_of_date,
    lag(as_of_date) over (order by as_of_date) as previous_as_of_date,
    cast({{ dbt.dateadd('month', -12, 'as_of_date') }} as date) as year_before,
    cast({{ dbt.dateadd('day', -90, 'as_of_date') }} as date) as quarter_before,
    as_of_date = latest_date as is_latest
from grid
