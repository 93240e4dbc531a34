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
    outlook.markov_revenue_12m,
    cast(profiles.expected_revenue_365d as double) / nullif(profiles.customers, 0) as lifetime_revenue_365d,
    outlook.markov_value_12m,
    outlook.markov_value_horizon,
    profiles.lifetime_value_mean,
    cast(outlook.horizon_months as integer) as horizon_months,
    cast(outlook.months as integer) as months,
    {%- for months in [3, 6] %}
    outlook.markov_error_{{ months }}m,
    outlook.unchanged_error_{{ months }}m,
    cast(outlook.backtests_{{ months }}m as integer) as backtests_{{ months }}m,
    {%- endfor %}
    outlook.verdict,
    outlook.note
from outlook
cross join latest
left join profiles
    on outlook.segmentation = profiles.segmentation
    and outlook.segment = profiles.segment
left join {{ ref('segments') }} as segments
    on outlook.segmentation = segments.segmentation
    and outlook.segment = segments.segment
