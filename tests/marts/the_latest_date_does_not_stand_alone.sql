{{ config(severity='warn') }}

-- nothing happened in the month before the latest date: is it a typing error, or is the data old?
with

latest as (
    select as_of_date from {{ ref('as_of_dates') }}
    where is_latest
),

days as (
    {%- for model, day in {
        'order_days': 'date_day',
        'visits': 'occurred_on',
        'stg_consents': 'changed_on',
        'stg_customers': 'created_on',
    }.items() %}
    select
        latest.as_of_date,
        max(facts.{{ day }}) as last_day
    from latest
    inner join {{ ref(model) }} as facts on latest.as_of_date > facts.{{ day }}
    group by latest.as_of_date
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

last_days as (
    select
        as_of_date,
        max(last_day) as last_day_before
    from days
    group by as_of_date
)

select
    as_of_date,
    last_day_before
from last_days
where {{ dbt.datediff('last_day_before', 'as_of_date', 'day') }} > 31
