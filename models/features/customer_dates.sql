{{ config(materialized='view') }}

with

customers as (
    select * from {{ ref('known_customers') }}
),

as_of_dates as (
    select * from {{ ref('as_of_dates') }}
)

-- nobody says since when: known on the latest date, not before
select
    customers.customer_id,
    as_of_dates.as_of_date,
    as_of_dates.previous_as_of_date,
    as_of_dates.year_before,
    as_of_dates.quarter_before,
    as_of_dates.is_latest
from as_of_dates
inner join customers
    on as_of_dates.as_of_date >= customers.known_from
    or (customers.known_from is null and as_of_dates.is_latest)
