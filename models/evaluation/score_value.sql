{{ config(materialized='view') }}

with

expectations as (
    select * from {{ ref('score_expectations') }}
),

fits as (
    select * from {{ ref('fits_in_use') }}
),

cutoffs as (
    select * from {{ ref('fit_value_cutoffs') }}
)

-- with the expectations themselves: who needs both reads them once
select
    expectations.*,
    case
        when expectations.expected_revenue_365d is not null and cutoffs.fitted_on is not null
            then {{ rfm_score('expectations.expected_revenue_365d', 'cutoffs') }}
    end as expected_revenue_score
from expectations
inner join fits
    on expectations.as_of_date = fits.as_of_date
    and expectations.fitted_on = fits.fitted_on
left join cutoffs on fits.cutoffs_on = cutoffs.fitted_on
