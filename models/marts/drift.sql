{%- set smallest_share = 0.0001 -%}
with

-- each date beside the fits that are in use on it
pairs as (
    select
        as_of_date,
        learned_on as fitted_on
    from {{ ref('fits_in_use') }}
    where
        fitted_on = as_of_date
        and learned_on is not null
),

fits as (
    {%- for fit, features in drift_features().items() %}
    {%- set last_fit = loop.last %}
    {%- for feature in features %}
    select
        '{{ fit }}' as fit,
        '{{ feature }}' as feature
    {{ 'union all' if not (last_fit and loop.last) }}
    {%- endfor %}
    {%- endfor %}
),

bins as (
    select * from {{ ref('fit_feature_bins') }}
),

bounds as (
    select
        fitted_on,
        feature,
        {%- for tenth in range(1, 10) %}
        max(case when bin = {{ tenth }} then upper_bound end) as bound_{{ tenth }},
        {%- endfor %}
        sum(customers) as customers
    from bins
    group by fitted_on, feature
),

binned as (
    select
        pairs.as_of_date,
        pairs.fitted_on,
        bounds.feature,
        {{ feature_bin('feature_values.value', 'bounds') }} as bin
    from pairs
    inner join bounds on pairs.fitted_on = bounds.fitted_on
    inner join {{ ref('fit_feature_values') }} as feature_values
        on pairs.as_of_date = feature_values.as_of_date
        and bounds.feature = feature_values.feature
),

counted as (
    select
        as_of_date,
        fitted_on,
        feature,
        bin,
        count(*) as customers
    from binned
    group by as_of_date, fitted_on, feature, bin
),

totals as (
    select
        as_of_date,
        fitted_on,
        feature,
        sum(customers) as customers
    from counted
    group by as_of_date, fitted_on, feature
),

shares as (
    select
        totals.as_of_date,
        totals.fitted_on,
        totals.feature,
        totals.customers,
        bins.bin,
        bins.share as share_at_fit,
        coalesce(counted.customers, 0) / cast(totals.customers as double) as share_now
    from totals
    inner join bins
        on totals.fitted_on = bins.fitted_on
        and totals.feature = bins.feature
    left join counted
        on totals.as_of_date = counted.as_of_date
        and totals.fitted_on = counted.fitted_on
        and totals.feature = counted.feature
        and bins.bin = counted.bin
),

floored as (
    select
        *,
        greatest(share_at_fit, {{ smallest_share }}) as at_fit,
        greatest(share_now, {{ smallest_share }}) as now
    from shares
),

indices as (
    select
        as_of_date,
        fitted_on,
        feature,
        max(customers) as customers,
        -- rounded, because the order of a sum shows in its last digits
        round(sum((now - at_fit) * ln(now / at_fit)), 6) as population_stability_index,
        max(case when bin = 0 then share_at_fit end) as null_share_at_fit,
        max(case when bin = 0 then share_now end) as null_share
    from floored
    group by as_of_date, fitted_on, feature
),

judged as (
    select
        fits.fit,
        fits.feature,
        indices.as_of_date,
        indices.fitted_on,
        bounds.customers as customers_at_fit,
        indices.customers,
        indices.population_stability_index,
        indices.null_share_at_fit,
        indices.null_share,
        case
            when least(bounds.customers, indices.customers) < 200 then 'too few customers'
            when indices.population_stability_index > 0.25 then 'shifted'
            when indices.population_stability_index >= 0.1 then 'watch'
            else 'stable'
        end as verdict
    from fits
    inner join indices on fits.feature = indices.feature
    inner join bounds
        on indices.fitted_on = bounds.fitted_on
        and indices.feature = bounds.feature
    -- without a value then and now: an input that is not there
    where indices.null_share_at_fit < 1 or indices.null_share < 1
)

select
    fit,
    feature,
    as_of_date,
    fitted_on,
    cast(customers_at_fit as integer) as customers_at_fit,
    cast(customers as integer) as customers,
    population_stability_index,
    null_share_at_fit,
    null_share,
    verdict,
    max(case when verdict = 'shifted' then 1 else 0 end) over (partition by fit, as_of_date) = 1 as is_stale,
    min(case when verdict = 'shifted' then as_of_date end) over (
        partition by fit, fitted_on
        order by as_of_date
    ) as stale_since
from judged
