{%- set scores = evaluated_scores() | selectattr('offer') | list -%}
with

-- what is offered, by which scores; the first stands for its offer where none of them lost
scores as (
    {%- for score in scores %}
    select
        '{{ score.name }}' as score,
        '{{ score.offer }}' as offer,
        {{ score.horizon_days }} as horizon_days,
        {{ loop.index }} as position
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

judged as (
    select
        scores.score,
        scores.offer,
        scores.position,
        evaluation.verdict,
        evaluation.replaced_by,
        cast(evaluation.as_of_date as date) as judged_on,
        cast({{ dbt.dateadd('day', 'scores.horizon_days', 'evaluation.as_of_date') }} as date) as outcome_until
    from {{ ref('fit_evaluation') }} as evaluation
    inner join scores on evaluation.score = scores.score
    where
        evaluation.heuristic = '(all)'
        and evaluation.verdict is not null
),

-- only what was over on the date of the fit: the choice sees as little of the future as the fit does
latest as (
    select
        fit_dates.fitted_on,
        judged.*
    from {{ ref('fit_dates') }} as fit_dates
    inner join judged on fit_dates.fitted_on >= judged.outcome_until
    qualify
        row_number() over (partition by fit_dates.fitted_on, judged.score order by judged.judged_on desc) = 1
),

-- a score that lost takes the others of its offer with it, so that numbers of two horizons fit together
decisive as (
    select *
    from latest
    qualify
        row_number() over (
            partition by fitted_on, offer
            order by case when verdict = 'worse' then 0 else 1 end, position
        ) = 1
),

-- a segment mean of a year needs a year before the fit
rates as (
    select distinct
        fitted_on,
        horizon_days
    from {{ ref('fit_outcome_rates') }}
),

offers as (
    select
        fit_dates.fitted_on,
        scores.offer,
        max(case when rates.horizon_days is null then 1 else 0 end) = 1 as is_incomplete
    from {{ ref('fit_dates') }} as fit_dates
    cross join scores
    left join rates
        on fit_dates.fitted_on = rates.fitted_on
        and scores.horizon_days = rates.horizon_days
    group by fit_dates.fitted_on, scores.offer
)

select
    offers.fitted_on,
    offers.offer,
    case
        when decisive.verdict is null or decisive.verdict <> 'worse' then 'learned'
        when decisive.replaced_by = 'segment mean' and offers.is_incomplete then 'repeat rate'
        else coalesce(decisive.replaced_by, 'repeat rate')
    end as basis,
    decisive.score as judged_by,
    decisive.verdict,
    decisive.judged_on,
    decisive.outcome_until,
    decisive.verdict is not null as is_proven
from offers
left join decisive
    on offers.fitted_on = decisive.fitted_on
    and offers.offer = decisive.offer
