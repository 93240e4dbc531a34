with

as_of_dates as (
    select * from {{ ref('as_of_dates') }}
),

first_seen as (
    {%- for model, day in {
        'order_days': 'date_day',
        'stg_events': 'occurred_on',
        'stg_consents': 'changed_on',
        'stg_customers': 'created_on',
    }.items() %}
    select
        customer_id,
        min({{ day }}) as date_day
    from {{ ref(model) }}
    group by customer_id
    {{ 'union all' if not loop.last }}
    {%- endfor %}
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
