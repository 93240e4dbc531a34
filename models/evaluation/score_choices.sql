{%- set scores = evaluated_scores() -%}
with

-- what is offered, by which scores
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

dates as (
    select
        as_of_date,
        learned_on
    from {{ ref('fits_in_use') }}
    where
        as_of_date = fitted_on
        and learned_on is not null
),

evaluation as (
    select
        evaluation.*,
        scores.offer,
        scores.position,
        cast(evaluation.as_of_date as date) as judged_on,
        cast({{ dbt.dateadd('day', 'scores.horizon_days', 'evaluation.as_of_date') }} as date) as outcome_until
    from {{ ref('fit_evaluation') }} as evaluation
    inner join scores on evaluation.score = scores.score
    where evaluation.metric = 'overall'
),

-- the last holdout of each score that was over on the date: the choice sees no more of the future than a fit does
judged as (
    select
        dates.as_of_date,
        evaluation.score,
        evaluation.offer,
        evaluation.position,
        evaluation.verdict,
        evaluation.replaced_by,
        evaluation.judged_on,
        evaluation.outcome_until
    from dates
    inner join evaluation on dates.as_of_date >= evaluation.outcome_until
    where
        evaluation.heuristic = '(all)'
        and evaluation.verdict is not null
    qualify
        row_number() over (partition by dates.as_of_date, evaluation.score order by evaluation.judged_on desc) = 1
),

-- how it fared there against each heuristic that has values
compared as (
    select
        judged.as_of_date,
        judged.score,
        evaluation.heuristic,
        evaluation.verdict
    from judged
    inner join evaluation
        on judged.score = evaluation.score
        and judged.judged_on = evaluation.judged_on
    where evaluation.heuristic in ('segment mean', 'repeat rate')
),

-- a score that lost takes the others of its offer with it, so that numbers of two horizons fit together
decisive as (
    select *
    from judged
    qualify
        row_number() over (
            partition by as_of_date, offer
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

-- what may take the place of a score: nothing that the loser beat, nothing that is not known, nothing that it beats
replacements as (
    select
        dates.as_of_date,
        scores.score,
        compared.heuristic
    from dates
    cross join scores
    inner join decisive
        on dates.as_of_date = decisive.as_of_date
        and scores.offer = decisive.offer
        and decisive.verdict = 'worse'
    inner join compared
        on decisive.as_of_date = compared.as_of_date
        and decisive.score = compared.score
        and compared.verdict in ('worse', 'equal')
    left join compared as own
        on dates.as_of_date = own.as_of_date
        and scores.score = own.score
        and compared.heuristic = own.heuristic
    left join rates
        on dates.learned_on = rates.fitted_on
        and scores.horizon_days = rates.horizon_days
    where
        (compared.heuristic <> 'segment mean' or rates.horizon_days is not null)
        and coalesce(own.verdict, 'equal') <> 'better'
    qualify
        row_number() over (
            partition by dates.as_of_date, scores.score
            order by
                case when compared.heuristic = decisive.replaced_by then 0 else 1 end,
                case when compared.verdict = 'worse' then 0 else 1 end,
                compared.heuristic
        ) = 1
)

select
    dates.as_of_date,
    dates.learned_on,
    scores.score,
    scores.offer,
    case
        when replacements.heuristic is not null then replacements.heuristic
        when judged.verdict = 'worse' then 'learned, though it lost'
        else 'learned'
    end as basis,
    decisive.score as judged_by,
    decisive.verdict,
    decisive.judged_on,
    decisive.outcome_until,
    judged.verdict is not null as is_proven,
    case
        when decisive.verdict = 'worse' and replacements.heuristic is null
            then concat('stays: what ', decisive.score, ' lost to is not known for this horizon, or does worse here')
    end as note
from dates
cross join scores
left join decisive
    on dates.as_of_date = decisive.as_of_date
    and scores.offer = decisive.offer
left join judged
    on dates.as_of_date = judged.as_of_date
    and scores.score = judged.score
left join replacements
    on dates.as_of_date = replacements.as_of_date
    and scores.score = replacements.score
