with

expectations as (
    select
        expectations.as_of_date,
        expectations.expected_revenue_365d
    from {{ ref('score_expectations') }} as expectations
    -- as known on the date: what the date before expected under this fit is for telling refits from moves
    inner join {{ ref('fits_in_use') }} as fits
        on expectations.as_of_date = fits.as_of_date
        and expectations.fitted_on = fits.learned_on
        and fits.as_of_date = fits.fitted_on
    where expectations.expected_revenue_365d is not null
)

select
    as_of_date as fitted_on,
    {%- for quintile in range(1, 5) %}
    percentile_disc({{ quintile / 5 }}) within group (order by expected_revenue_365d) as cutoff_{{ quintile }},
    {%- endfor %}
    count(*) as customers
from expectations
group by as_of_date
