with

ranked as (
    select
        score,
        kind,
        as_of_date,
        horizon_days,
        outcome_until,
        predicted,
        actual,
        rank() over (partition by score, as_of_date order by predicted) as first_place,
        count(*) over (partition by score, as_of_date, predicted) as places,
        count(*) over (partition by score, as_of_date) as customers
    from {{ ref('evaluation_holdout') }}
    where kind <> 'group'
),

-- by the middle of the places that equal predictions share, so that they are in one bin
binned as (
    select
        score,
        kind,
        as_of_date,
        horizon_days,
        outcome_until,
        floor(10 * (first_place - 1 + places / 2.0) / customers) + 1 as bin,
        count(*) as customers,
        -- decimals, because a sum of doubles depends on its order
        cast(sum(cast(predicted as decimal(38, 10))) as double) / count(*) as mean_predicted,
        cast(sum(cast(actual as decimal(38, 4))) as double) / count(*) as mean_actual,
        cast(sum(cast(actual * actual as decimal(38, 4))) as double) / count(*) as mean_square
    from ranked
    group by 1, 2, 3, 4, 5, 6
),

-- Wilson's interval for shares, the normal one for means
centred as (
    select
        *,
        case when kind = 'probability' then 1 + 3.8415 / customers else 1 end as scale,
        case
            when kind = 'probability' then mean_actual + 1.9207 / customers
            else mean_actual
        end as centre,
        case
            when kind = 'probability'
                then 1.96 * sqrt((mean_actual * (1 - mean_actual) + 0.9604 / customers) / customers)
            else 1.96 * sqrt(greatest(mean_square - mean_actual * mean_actual, 0) / nullif(customers - 1, 0))
        end as margin
    from binned
)

select
    score,
    as_of_date,
    cast(bin as integer) as bin,
    cast(horizon_days as integer) as horizon_days,
    outcome_until,
    cast(customers as integer) as customers,
    mean_predicted,
    mean_actual,
    (centre - margin) / scale as actual_lower,
    (centre + margin) / scale as actual_upper
from centred
