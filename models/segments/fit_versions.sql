{{ config(materialized='view') }}

with

fits as (
    select * from {{ ref('fits_in_use') }}
    where as_of_date = fitted_on
),

versions as (
    select distinct
        fit,
        fitted_on,
        fit_version
    from {{ ref('fit_parameters') }}
)

select
    fits.as_of_date,
    versions.fit,
    versions.fit_version
from fits
inner join versions
    on versions.fitted_on = case
        when versions.fit in ('rfm_cutoffs', 'interpurchase', 'value_cutoffs') then fits.cutoffs_on
        else fits.learned_on
    end
