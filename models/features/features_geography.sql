{{ config(materialized='view') }}

with

customer_dates as (
    select * from {{ ref('customer_dates') }}
),

customers as (
    select * from {{ ref('stg_customers') }}
)

select
    customer_dates.customer_id,
    customer_dates.as_of_date,
    customers.country,
    customers.region,
    customers.city,
    customers.city_population,
    case
        when customers.city_population >= 1000000 then 'metropolis'
        when customers.city_population >= 300000 then 'large city'
        when customers.city_population >= 100000 then 'city'
        when customers.city_population >= 0 then 'town'
    end as city_size
from customer_dates
left join customers on customer_dates.customer_id = customers.customer_id
