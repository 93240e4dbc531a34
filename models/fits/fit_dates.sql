with

as_of_dates as (
    select * from {{ ref('as_of_dates') }}
),

numbered as (
    select
        as_of_date,
        row_number() over (order by as_of_date) as date_number
    from as_of_dates
)

-- from the first date on, so that every date has a fit that was made by then
select as_of_date as fitted_on
from numbered
where
    date_number = 1
    or (
        as_of_date = {{ dbt.last_day('as_of_date', 'month') }}
        and mod(extract(month from as_of_date), {{ var('refit_every_months') }}) = 0
    )
