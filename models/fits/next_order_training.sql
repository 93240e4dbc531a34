{#- Orders and returns reach a company's tables late: the last week before a fit is not yet learned from. -#}
{%- set gap_days = 7 -%}
{%- set most_dates = 6 -%}
{%- set most_buyers = 8000 -%}
{%- set features = next_order_features_in_use() -%}
with

fit_dates as (
    select fitted_on from {{ ref('fits_due') }}
    where fit = 'fit_next_order'
),

as_of_dates as (
    select
        as_of_date,
        cast({{ dbt.dateadd('day', var('next_order_days'), 'as_of_date') }} as date) as outcome_until
    from {{ ref('as_of_dates') }}
),

-- the latest dates whose outcomes were known on the date of the fit
training_dates as (
    select
        fit_dates.fitted_on,
        as_of_dates.as_of_date
    from fit_dates
    inner join as_of_dates
        on cast({{ dbt.dateadd('day', gap_days, 'as_of_dates.outcome_until') }} as date) <= fit_dates.fitted_on
    qualify
        row_number() over (partition by fit_dates.fitted_on order by as_of_dates.as_of_date desc) <= {{ most_dates }}
),

needed_dates as (
    select * from as_of_dates
    where as_of_date in (select training_dates.as_of_date from training_dates)
),

-- the same customers again and again, as far as they were there
sampled as (
    select
        buyers.customer_id,
        needed_dates.*
    from {{ ref('features_rfm') }} as buyers
    inner join needed_dates on buyers.as_of_date = needed_dates.as_of_date
    where buyers.lifetime_orders > 0
    qualify row_number() over (partition by buyers.as_of_date order by md5(buyers.customer_id)) <= {{ most_buyers }}
),

ordered as (
    select distinct
        sampled.customer_id,
        sampled.as_of_date
    from sampled
    inner join {{ ref('order_days') }} as order_days
        on sampled.customer_id = order_days.customer_id
        and sampled.as_of_date < order_days.date_day
        and sampled.outcome_until >= order_days.date_day
    where order_days.orders_placed > 0
),

valued as (
    select
        sampled.*,
        {{ next_order_values(features) }}
    from sampled
    inner join {{ ref('features_rfm') }} as features_rfm
        on sampled.customer_id = features_rfm.customer_id
        and sampled.as_of_date = features_rfm.as_of_date
    {{ next_order_joins(features) }}
)

select
    training_dates.fitted_on,
    valued.*,
    ordered.customer_id is not null as has_order
from training_dates
inner join valued on training_dates.as_of_date = valued.as_of_date
left join ordered
    on valued.customer_id = ordered.customer_id
    and valued.as_of_date = ordered.as_of_date
