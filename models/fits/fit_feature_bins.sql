{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='fitted_on',
        post_hook="{{ forget_later_dates() }}",
    )
}}

with

fit_dates as (
    select fitted_on from {{ ref('fits_due') }}
    where fit = 'fit_feature_bins'
),

feature_values as (
    select feature_values.*
    from {{ ref('fit_feature_values') }} as feature_values
    inner join fit_dates on feature_values.as_of_date = fit_dates.fitted_on
),

-- tenths, as far as values can tell customers apart
bounds as (
    select
        as_of_date as fitted_on,
        feature,
        {%- for tenth in range(1, 10) %}
        {{ percentile('value', [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], tenth) }} as bound_{{ tenth }},
        {%- endfor %}
        count(*) as customers
    from feature_values
    group by as_of_date, feature
),

binned as (
    select
        bounds.fitted_on,
        bounds.feature,
        {{ feature_bin('feature_values.value', 'bounds') }} as bin
    from feature_values
    inner join bounds
        on feature_values.as_of_date = bounds.fitted_on
        and feature_values.feature = bounds.feature
),

counted as (
    select
        fitted_on,
        feature,
        bin,
        count(*) as customers
    from binned
    group by fitted_on, feature, bin
),

bins as (
    {%- for bin in range(0, 11) %}
    select
        fitted_on,
        feature,
        {{ bin }} as bin,
        {{ 'bound_' ~ bin if 1 <= bin <= 9 else 'cast(null as double)' }} as upper_bound,
        customers
    from bounds
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    bins.fitted_on,
    bins.feature,
    bins.bin,
    bins.upper_bound,
    cast(coalesce(counted.customers, 0) as integer) as customers,
    coalesce(counted.customers, 0) / cast(bins.customers as double) as share,
    '{{ settings_hash('fit_feature_bins') }}' as made_with
from bins
left join counted
    on bins.fitted_on = counted.fitted_on
    and bins.feature = counted.feature
    and bins.bin = counted.bin
