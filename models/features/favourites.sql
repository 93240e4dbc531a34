{{ config(materialized='by_customer') }}
{%- set weekday = "case weekday_number when 0 then 'monday' when 1 then 'tuesday' when 2 then 'wednesday'
    when 3 then 'thursday' when 4 then 'friday' when 5 then 'saturday' else 'sunday' end" -%}
{%- set daypart = "case when hour_of_day < 6 then 'night' when hour_of_day < 12 then 'morning'
    when hour_of_day < 18 then 'afternoon' when hour_of_day >= 18 then 'evening' end" -%}
{%- set kinds = {
    'channel': ['orders', 'channel', '1', 'ordered_on'],
    'weekday': ['orders', weekday, '1', 'ordered_on'],
    'daypart': ['orders', daypart, '1', 'ordered_on'],
    'category': ['category_days', 'category', 'amount', 'date_day'],
    'device': ['visits', 'device', '1', 'occurred_on'],
} -%}
with

orders as (
    select
        customer_id,
        channel,
        ordered_on,
        mod({{ dbt.datediff("cast('1969-12-29' as date)", 'ordered_on', 'day') }}, 7) as weekday_number,
        -- midnight to the second is a date without a time
        case when ordered_at <> ordered_on then extract(hour from ordered_at) end as hour_of_day
    from {{ due('stg_orders') }}
    where is_counted
),

category_days as (
    select * from {{ due('category_days') }}
),

visits as (
    select * from {{ due('visits') }}
),
{% for kind, (relation, value, weight, day) in kinds.items() %}
{{ kind }}_favourites as (
    {{ favourite(relation, value, weight, day) }}
),
{% endfor %}
favourites as (
    {%- for kind in kinds %}
    select
        customer_id,
        '{{ kind }}' as kind,
        date_day,
        favourite,
        lag(favourite) over (partition by customer_id order by date_day) as favourite_before
    from {{ kind }}_favourites
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    customer_id,
    kind,
    date_day,
    favourite
from favourites
where
    favourite_before is null
    or favourite <> favourite_before
