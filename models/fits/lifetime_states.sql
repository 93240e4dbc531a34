{#- what a fit takes grows with its states, and Pareto/NBD takes an integral for each of them -#}
{%- set most_states = 40000 if var('lifetime_model') == 'pareto_nbd' else 200000 -%}
{%- set resolutions = [1, 7, 28] -%}
with

fit_dates as (
    select fitted_on from {{ ref('fits_due') }}
    where fit = 'fit_lifetime'
),

buyers as (
    select
        fit_dates.fitted_on,
        rfm.interpurchase_count as repeat_purchases,
        rfm.days_since_first_purchase as tenure_days,
        rfm.days_from_first_to_last_purchase as last_purchase_days,
        rfm.days_since_first_purchase - rfm.days_from_first_to_last_purchase as silent_days
    from {{ ref('features_rfm') }} as rfm
    inner join fit_dates on rfm.as_of_date = fit_dates.fitted_on
    where rfm.days_since_first_purchase is not null
),

-- how many states there are in days, weeks and four weeks, near enough
sizes as (
    select
        fitted_on,
        {%- for days in resolutions %}
        approx_count_distinct(
            1000000000000 * repeat_purchases
            + 1000000 * cast(floor(silent_days / {{ days }}e0) as bigint)
            + cast(floor(tenure_days / {{ days }}e0) as bigint)
        ) as states_of_{{ days }},
        {%- endfor %}
        count(*) as customers
    from buyers
    group by fitted_on
),

-- the finest that is not too many
resolved as (
    select
        fitted_on,
        case
            {%- for days in resolutions[:-1] %}
            when states_of_{{ days }} <= {{ most_states }} then {{ days }}
            {%- endfor %}
            else {{ resolutions | last }}
        end as resolution_days
    from sizes
)

select
    buyers.fitted_on,
    buyers.repeat_purchases,
    sum(buyers.last_purchase_days) / cast(count(*) as double) as last_purchase_days,
    sum(buyers.tenure_days) / cast(count(*) as double) as tenure_days,
    count(*) as customers,
    resolved.resolution_days
from buyers
inner join resolved on buyers.fitted_on = resolved.fitted_on
group by
    buyers.fitted_on,
    buyers.repeat_purchases,
    resolved.resolution_days,
    floor(buyers.silent_days / cast(resolved.resolution_days as double)),
    floor(buyers.tenure_days / cast(resolved.resolution_days as double))
