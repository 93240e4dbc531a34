{{ config(materialized='incremental', incremental_strategy='append', post_hook="{{ forget_later_dates() }}") }}

with

as_of_dates as (
    select
        as_of_date,
        min(as_of_date) over () as first_date
    from {{ ref('as_of_dates') }}
)

-- from the first date on, so that every date has a fit that was made by then; dates that have left the grid stay
select as_of_date as fitted_on
from as_of_dates
where
    (
        as_of_date = {{ dbt.last_day('as_of_date', 'month') }}
        and mod(extract(month from as_of_date), {{ var('refit_every_months') }}) = 0
        or as_of_date = first_date
        {%- if is_incremental() %}
        and not exists (select 1 from {{ this }} as earlier where earlier.fitted_on <= first_date)
        {%- endif %}
    ) -- noqa: LT02
    {%- if is_incremental() %}
    and as_of_date not in (select stored.fitted_on from {{ this }} as stored)
    {%- endif %}
