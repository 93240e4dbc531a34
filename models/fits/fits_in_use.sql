{{ config(materialized='view') }}

with

as_of_dates as (
    select * from {{ ref('as_of_dates') }}
)

-- the fit of the day, which is what is published
select
    as_of_date,
    as_of_date as fitted_on
from as_of_dates
union all
-- and the next one, which tells a customer's move from the effect of fitting again
select
    previous_as_of_date,
    as_of_date
from as_of_dates
where previous_as_of_date is not null
