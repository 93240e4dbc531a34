{{ config(materialized='view') }}

-- a Python model sees no variables; `fit_settings` is only made anew when models are fitted
select
    cast({{ var('discount_rate') }} as double) as discount_rate,
    cast({{ [(var('value_horizon_days') * 12 / 365) | round | int, 1] | max }} as integer) as horizon_months
