{#- how far off a total may be, as a share of what came, and of how few customers nothing can be said -#}
{%- set limit = 0.2 -%}
{%- set fewest = 30 -%}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}
with

holdout as (
    select * from {{ ref('evaluation_holdout') }}
    where kind <> 'group'
),

ranked as (
    select
        *,
        rank() over (partition by score, as_of_date order by predicted) as first_place,
        count(*) over (partition by score, as_of_date, predicted) as places,
        count(*) over (partition by score, as_of_date) as all_customers
    from holdout
),

assigned as (
    select * from {{ ref('segment_assignments') }}
    where as_of_date in (select distinct holdout.as_of_date from holdout)
),

-- bin 0 is all of them; tenths by the middle of the places that equal predictions share, so that they are in one bin
placed as (
    select
        *,
        '(all)' as segmentation,
        '(all)' as segment,
        0 as bin
    from ranked
    union all
    select
        *,
        '(all)' as segmentation,
        '(all)' as segment,
        floor(10 * (first_place - 1 + places / 2.0) / all_customers) + 1 as bin
    from ranked
    {%- for definition in published_definitions() if definition.assignment != 'all_matches' %}
    union all
    select
        ranked.*,
        '{{ definition.name }}' as segmentation,
        assigned.{{ definition.name }} as segment,
        0 as bin
    from ranked
    inner join assigned
        on ranked.customer_id = assigned.customer_id
        and ranked.as_of_date = assigned.as_of_date
    where assigned.{{ definition.name }} is not null
    {%- endfor %}
),

binned as (
    select
        score,
        kind,
        as_of_date,
        segmentation,
        segment,
        bin,
        horizon_days,
        outcome_until,
        count(*) as customers,
        -- decimals, because a sum of doubles depends on its order
        cast(sum(cast(predicted as decimal(38, 10))) as double) / count(*) as mean_predicted,
        cast(sum(cast(actual as decimal(38, 4))) as double) / count(*) as mean_actual,
        cast(sum(cast(actual * actual as decimal(38, 4))) as double) / count(*) as mean_square
    from placed
    group by score, kind, as_of_date, segmentation, segment, bin, horizon_days, outcome_until
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
),

compared as (
    select
        *,
        round((centre - margin) / scale, 9) as actual_lower,
        round((centre + margin) / scale, 9) as actual_upper
    from centred
)

select
    score,
    as_of_date,
    segmentation,
    segment,
    cast(bin as integer) as bin,
    cast(horizon_days as integer) as horizon_days,
    outcome_until,
    cast(customers as integer) as customers,
    mean_predicted,
    mean_actual,
    actual_lower,
    actual_upper,
    mean_predicted / nullif(mean_actual, 0) as ratio,
    -- off by more than the limit, and by more than chance; where chance alone may be as large nothing is said
    case
        when customers < {{ fewest }} then null
        when mean_predicted between {{ 1 - limit }} * mean_actual and {{ 1 + limit }} * mean_actual then 'holds'
        when mean_predicted > actual_upper then 'too high'
        when mean_predicted < actual_lower then 'too low'
    end as verdict
from compared
