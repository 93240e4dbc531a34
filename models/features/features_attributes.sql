{{ config(materialized='view') }}

with

customer_dates as (
    select * from {{ ref('customer_dates') }}
),

customers as (
    select * from {{ ref('stg_customers') }}
),

aged as (
    select
        customer_dates.customer_id,
        customer_dates.as_of_date,
        customers.kind,
        customers.age_band,
        customers.gender,
        customers.marital_status,
        customers.household_size,
        customers.children,
        customers.income_band,
        customers.home_ownership,
        customers.industry,
        customers.employees,
        customers.country,
        customers.region,
        customers.city,
        customers.city_population,
        customers.birth_date,
        -- one year less where the birthday is still to come
        extract(year from customer_dates.as_of_date) - extract(year from customers.birth_date)
        - case
            when
                extract(month from customer_dates.as_of_date) * 100 + extract(day from customer_dates.as_of_date)
                < extract(month from customers.birth_date) * 100 + extract(day from customers.birth_date)
                then 1
            else 0
        end as age_years
    from customer_dates
    left join customers on customer_dates.customer_id = customers.customer_id
)

select
    customer_id,
    as_of_date,
    kind,
    cast(age_years as integer) as age_years,
    case
        when age_years is null then age_band
        when age_years < 18 then 'under 18'
        when age_years < 25 then '18-24'
        when age_years < 35 then '25-34'
        when age_years < 45 then '35-44'
        when age_years < 55 then '45-54'
        when age_years < 65 then '55-64'
        else '65+'
    end as age_band,
    gender,
    marital_status,
    household_size,
    children,
    income_band,
    home_ownership,
    industry,
    employees,
    country,
    region,
    city,
    city_population,
    case
        when city_population >= 1000000 then 'metropolis'
        when city_population >= 300000 then 'large city'
        when city_population >= 100000 then 'city'
        when city_population >= 0 then 'town'
    end as city_size,
    extract(month from birth_date) = extract(month from as_of_date) as is_birthday_month
from aged
