{{ config(post_hook="{{ check_losses('customers') }}") }}

with

accepted as (
    {{ accepted_rows('customers') }}
)

select
    customer_id,
    kind,
    age_band,
    gender,
    marital_status,
    home_ownership,
    income_band,
    industry,
    country,
    region,
    city,
    household_size,
    children,
    employees,
    city_population,
    birth_date,
    created_at,
    cast(created_at as date) as created_on
from accepted
