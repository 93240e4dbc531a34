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
        count(*) over (partition by score, as_of_date) as all_customers
    from {{ ref('evaluation_holdout') }}
    where kind <> 'group'
),

-- by the middle of the places that equal predictions share, so that they are in one bin
placed as (
    select
        *,
        floor(10 * (first_place - 1 + places / 2.0) / all_customers) + 1 as bin
    from ranked
),

binned as (
    select
        score,
        kind,
        as_of_date,
        horizon_days,
        outcome_until,
        bin,
        count(*) as customers,
        -- decimals, because a sum of doubles depends on its order
        cast(sum(cast(predicted as decimal(38, 10))) as double) / count(*) as mean_predicted,
        cast(sum(cast(actual as decimal(38, 4))) as double) / count(*) as mean_actual,
        cast(sum(cast(actual * actual as decimal(38, 4))) as double) / count(*) as mean_square
    from placed
    group by score, kind, as_of_date, horizon_days, outcome_until, bin
),

-- Wilson's interval for shares, the normal one for means
centred as (
    select
        *,
        case when kind = 'probability' then 1 + 3.8416 / customers else 1 end as scale,
        case
            when kind = 'probability' then mean_actual + 1.9208 / customers
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
    round((centre - margin) / scale, 9) as actual_lower,
    round((centre + margin) / scale, 9) as actual_upper
from centred
