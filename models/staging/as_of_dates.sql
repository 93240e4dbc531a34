{%- set dated = {
    'orders': 'ordered_at',
    'events': 'occurred_at',
    'consents': 'changed_at',
    'customers': 'created_at',
} -%}
{%- set first_of_month = dbt.date_trunc('month', 'latest_date') -%}
with

dates as (
    {%- for input, column in dated.items() %}
    select distinct try_cast({{ column }} as date) as date_day
    from {{ ref('input_' ~ input) }}
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

middle as (
    select percentile_disc(0.5) within group (order by date_day) as date_day
    from dates
    where date_day >= cast('1970-01-01' as date)
),

following as (
    select
        date_day,
        lead(date_day) over (order by date_day) as next_date_day
    from dates
    -- to DuckDB 'infinity' is a date
    where date_day < cast('9999-12-31' as date)
),

-- a date that stands more than a year after all others is a typing error, not the end of the data
latest as (
    {%- if var('as_of_date') %}
    select cast('{{ var('as_of_date') }}' as date) as latest_date
    {%- else %}
    select min(following.date_day) as latest_date
    from following
    cross join middle
    where
        following.date_day >= middle.date_day
        and (
            following.next_date_day is null
            or {{ dbt.datediff('following.date_day', 'following.next_date_day', 'day') }} > 366
        )
    {%- endif %}
),

grid as (
    select
        latest_date,
        latest_date as as_of_date
    from latest
    {%- for months_back in range(var('history_months')) %}
    union
    select
        latest_date,
        cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', -months_back, first_of_month)) }} as date) as as_of_date
    from latest
    {%- endfor %}
)

select
    as_of_date,
    lag(as_of_date) over (order by as_of_date) as previous_as_of_date,
    as_of_date = latest_date as is_latest
from grid
