{%- set features = next_order_features_in_use() -%}
{%- set names = features | map(attribute='name') | list -%}
with

-- the fit that is in use on the latest date
fits as (
    select
        as_of_dates.as_of_date,
        fits_in_use.learned_on as fitted_on
    from {{ ref('as_of_dates') }} as as_of_dates
    inner join {{ ref('fits_in_use') }} as fits_in_use
        on as_of_dates.as_of_date = fits_in_use.as_of_date
        and as_of_dates.as_of_date = fits_in_use.fitted_on
    where
        as_of_dates.is_latest
        and fits_in_use.learned_on is not null
),

{{ next_order_contributions(features, 'fits') }},

-- against the average customer of the fit
moved as (
    select
        {%- for name in names %}
        from_{{ name }} - mean_contribution_{{ name }} as moved_{{ name }},
        {%- endfor %}
        contributions.*
    from contributions
),

ranked as (
    select
        {%- for name in names %}
        {{ next_order_rank(name, names) }} as rank_{{ name }},
        {%- endfor %}
        moved.*
    from moved
)

select
    customer_id,
    as_of_date,
    {%- for number in range(1, 4) %}
    case
        {%- for feature in features %}
        when rank_{{ feature.name }} = {{ number }} and moved_{{ feature.name }} <> 0
            then {{ next_order_reason(feature) }}
        {%- endfor %}
    end as reason_{{ number }},
    {%- endfor %}
    fitted_on
from ranked
where intercept is not null
