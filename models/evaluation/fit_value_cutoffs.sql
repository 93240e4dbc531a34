{{ config(materialized='each_date', unique_key='fitted_on') }}

with

expectations as (
    select
        as_of_date,
        expected_revenue_365d
    from {{ ref('score_expectations') }}
    where
        expected_revenue_365d is not null
        -- as known on the date: what the date before expected under this fit is for telling refits from moves
        and as_of_date = fitted_on
        and {{ at_dates() }}
)

select
    as_of_date as fitted_on,
    {%- for quintile in range(1, 5) %}
    {{ percentile('expected_revenue_365d', [0.2, 0.4, 0.6, 0.8], quintile) }} as cutoff_{{ quintile }},
    {%- endfor %}
    count(*) as customers
from expectations
group by as_of_date
