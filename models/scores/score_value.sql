{{ config(materialized='view') }}

with

expectations as (
    select * from {{ ref('score_expectations') }}
    where expected_revenue_365d is not null
),

fits as (
    select * from {{ ref('fits_in_use') }}
),

cutoffs as (
    select * from {{ ref('fit_value_cutoffs') }}
)

select
    expectations.customer_id,
    expectations.as_of_date,
    fits.fitted_on,
    {{ rfm_score('expectations.expected_revenue_365d', 'cutoffs') }} as expected_revenue_score
from expectations
inner join fits
    on expectations.as_of_date = fits.as_of_date
    and expectations.fitted_on = fits.fitted_on
inner join cutoffs on fits.cutoffs_on = cutoffs.fitted_on
