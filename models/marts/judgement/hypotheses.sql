with

claims as (
    select * from {{ ref('tested_claims') }}
),

segments as (
    select * from {{ ref('segments') }}
)

select
    claims.segmentation,
    claims.segment,
    claims.metric,
    claims.versus,
    claims.direction,
    concat(
        coalesce(segments.label, claims.segment),
        ': ',
        case claims.metric
            when 'orders_next_90d' then 'orders'
            when 'revenue_next_90d' then 'revenue'
            else 'share who order'
        end,
        ' in the next 90 days ',
        claims.direction,
        ' than ',
        case when claims.versus = 'population' then 'all others' else coalesce(others.label, claims.versus) end
    ) as claim,
    cast(claims.as_of_date as date) as as_of_date,
    cast({{ dbt.dateadd('day', outcome_days(), 'claims.as_of_date') }} as date) as outcome_until,
    cast(claims.customers as integer) as customers,
    cast(claims.other_customers as integer) as other_customers,
    claims.mean,
    claims.other_mean,
    claims.difference,
    claims.lower,
    claims.upper,
    claims.ratio,
    claims.effect_size,
    cast(claims.windows as integer) as windows,
    cast(claims.windows_in_direction as integer) as windows_in_direction,
    claims.verdict,
    claims.note
from claims
left join segments
    on claims.segmentation = segments.segmentation
    and claims.segment = segments.segment
left join segments as others
    on claims.segmentation = others.segmentation
    and claims.versus = others.segment
