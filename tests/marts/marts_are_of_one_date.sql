-- the latest date of every mart that has one is the latest as-of date: none tells of a time that others don't know
with

latest as (
    select as_of_date from {{ ref('as_of_dates') }}
    where is_latest
),

marts as (
    {%- for mart in [
        'customers', 'segment_membership', 'segment_profiles', 'segment_kpis', 'core_customers', 'value_concentration',
        'cluster_profiles'
    ] %}
    select
        '{{ mart }}' as mart,
        max(as_of_date) as as_of_date
    from {{ ref(mart) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    marts.mart,
    marts.as_of_date,
    latest.as_of_date as latest_as_of_date
from marts
cross join latest
where marts.as_of_date <> latest.as_of_date
