{%- set weekday = "case weekday_number when 0 then 'monday' when 1 then 'tuesday' when 2 then 'wednesday'
    when 3 then 'thursday' when 4 then 'friday' when 5 then 'saturday' else 'sunday' end" -%}
{%- set daypart = "case when hour_of_day < 6 then 'night' when hour_of_day < 12 then 'morning'
    when hour_of_day < 18 then 'afternoon' when hour_of_day >= 18 then 'evening' end" -%}
{%- set kinds = {
    'channel': ['orders', 'channel', 'ordered_on'],
    'weekday': ['orders', weekday, 'ordered_on'],
    'daypart': ['orders', daypart, 'ordered_on'],
    'device': ['visits', 'device', 'occurred_on'],
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
    from {{ ref('stg_orders') }}
    where is_counted
),

visits as (
    select * from {{ ref('visits') }}
),
{% for kind, (relation, value, day) in kinds.items() %}
{{ kind }}s as (
    {{ favourite(relation, value, '1', day) }}
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
    from {{ kind }}s
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
