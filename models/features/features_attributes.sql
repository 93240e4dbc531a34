{{ config(materialized='view') }}

with

customer_dates as (
    select * from {{ ref('customer_dates') }}
),

versions as (
    select * from {{ ref('customer_versions') }}
),

aged as (
    select
        customer_dates.customer_id,
        customer_dates.as_of_date,
        versions.kind,
        versions.age_band,
        versions.gender,
        versions.marital_status,
        versions.household_size,
        versions.children,
        versions.income_band,
        versions.home_ownership,
        versions.industry,
        versions.employees,
        versions.country,
        versions.region,
        versions.city,
        versions.city_population,
        {%- for name in own_attributes() %}
        versions.{{ name }},
        {%- endfor %}
        versions.birth_date,
        case
            when versions.{{ customer_attributes() | join(' is not null or versions.') }} is not null
                then cast(versions.valid_from as date)
        end as attributes_valid_from,
        -- one year less where the birthday is still to come
        extract(year from customer_dates.as_of_date) - extract(year from versions.birth_date)
        - case
            when
                extract(month from customer_dates.as_of_date) * 100 + extract(day from customer_dates.as_of_date)
                < extract(month from versions.birth_date) * 100 + extract(day from versions.birth_date)
                then 1
            else 0
        end as age_years
    from customer_dates
    -- what was not known yet is not known
    left join versions
        on customer_dates.customer_id = versions.customer_id
        and customer_dates.as_of_date >= cast(versions.valid_from as date)
        and (versions.valid_until is null or customer_dates.as_of_date < cast(versions.valid_until as date))
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
    {%- for name in own_attributes() %}
    {{ name }},
    {%- endfor %}
    extract(month from birth_date) = extract(month from as_of_date) as is_birthday_month,
    attributes_valid_from
from aged
