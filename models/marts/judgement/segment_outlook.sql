with

outlook as (
    select * from {{ ref('markov_outlook') }}
),

profiles as (
    select * from {{ ref('segment_profiles') }}
),

latest as (
    select as_of_date from {{ ref('as_of_dates') }}
    where is_latest
),

expected as (
    select
        outlook.*,
        cast(profiles.expected_revenue_365d as double) / nullif(profiles.customers, 0) as lifetime_revenue_365d,
        profiles.expected_revenue_365d_verdict as lifetime_revenue_verdict,
        profiles.lifetime_value_mean
    from outlook
    left join profiles
        on outlook.segmentation = profiles.segmentation
        and outlook.segment = profiles.segment
),

-- the lifetime model knows each customer, the chain only where they stand: it must hold, and mend what the model missed
compared as (
    select
        *,
        case
            when
                lifetime_revenue_365d is null
                or (
                    markov_revenue_verdict = 'holds'
                    and (
                        (lifetime_revenue_verdict = 'too high' and markov_revenue_12m < lifetime_revenue_365d)
                        or (lifetime_revenue_verdict = 'too low' and markov_revenue_12m > lifetime_revenue_365d)
                    )
                )
                then 'markov'
            else 'lifetime'
        end as basis
    from expected
)

select
    latest.as_of_date,
    outlook.segmentation,
    outlook.segment,
    segments.label,
    cast(outlook.customers as integer) as customers,
    outlook.share_of_customers,
    {%- for months in [3, 6, 12] %}
    outlook.expected_customers_{{ months }}m,
    {%- endfor %}
    {%- for months in [3, 6, 12] %}
    outlook.expected_share_{{ months }}m,
    {%- endfor %}
    outlook.arrivals_per_month,
    outlook.share_staying,
    outlook.share_leaving,
    outlook.revenue_per_month,
    -- one number to act on, the other with what it was worth
    case when outlook.basis = 'markov' then outlook.markov_revenue_12m else outlook.lifetime_revenue_365d end
        as expected_revenue_12m,
    case
        when coalesce(outlook.lifetime_revenue_365d, outlook.markov_revenue_12m) is not null then outlook.basis
    end as expected_revenue_basis,
    outlook.markov_revenue_12m,
    outlook.markov_revenue_ratio_3m,
    outlook.markov_revenue_verdict,
    outlook.lifetime_revenue_365d,
    outlook.lifetime_revenue_verdict,
    outlook.markov_value_12m,
    outlook.markov_value_horizon,
    outlook.lifetime_value_mean,
    cast(outlook.horizon_months as integer) as horizon_months,
    cast(outlook.months as integer) as months,
    {%- for months in [3, 6] %}
    outlook.markov_error_{{ months }}m,
    outlook.unchanged_error_{{ months }}m,
    cast(outlook.backtests_{{ months }}m as integer) as backtests_{{ months }}m,
    {%- endfor %}
    outlook.verdict,
    outlook.note
from compared as outlook
cross join latest
left join {{ ref('segments') }} as segments
    on outlook.segmentation = segments.segmentation
    and outlook.segment = segments.segment
