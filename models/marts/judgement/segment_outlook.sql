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
        profiles.lifetime_value_mean,
        -- the lifetime model knows each buyer, the chain only where customers stand
        case
            when profiles.valued_customers >= 0.5 * profiles.customers then 'lifetime'
            when outlook.markov_revenue_verdict = 'holds' then 'markov'
        end as expected_revenue_basis
    from outlook
    left join profiles
        on outlook.segmentation = profiles.segmentation
        and outlook.segment = profiles.segment
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
    case outlook.expected_revenue_basis
        when 'lifetime' then outlook.lifetime_revenue_365d
        when 'markov' then outlook.markov_revenue_12m
    end as expected_revenue_12m,
    outlook.expected_revenue_basis,
    case outlook.expected_revenue_basis
        when 'lifetime' then outlook.lifetime_revenue_verdict
        when 'markov' then outlook.markov_revenue_verdict
    end as expected_revenue_verdict,
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
from expected as outlook
cross join latest
left join {{ ref('segments') }} as segments
    on outlook.segmentation = segments.segmentation
    and outlook.segment = segments.segment
