with

as_of_dates as (
    select * from {{ ref('as_of_dates') }}
),

cutoff_dates as (
    select distinct fitted_on from {{ ref('fit_rfm_cutoffs') }}
),

fit_dates as (
    select * from {{ ref('fit_dates') }}
),

pairs as (
    -- the fits of the day, by which is published
    select
        as_of_date,
        as_of_date as fitted_on
    from as_of_dates
    union all
    -- and those of the next date, which tell a customer's move from the effect of fitting again
    select
        previous_as_of_date,
        as_of_date
    from as_of_dates
    where previous_as_of_date is not null
)

select
    pairs.as_of_date,
    pairs.fitted_on,
    max(cutoff_dates.fitted_on) as cutoffs_on,
    max(fit_dates.fitted_on) as learned_on
from pairs
left join cutoff_dates on pairs.fitted_on >= cutoff_dates.fitted_on
left join fit_dates on pairs.fitted_on >= fit_dates.fitted_on
group by pairs.as_of_date, pairs.fitted_on
