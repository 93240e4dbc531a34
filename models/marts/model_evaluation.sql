{{ config(post_hook=["{{ warn_of_losing_scores() }}", "{{ warn_of_failed_fits() }}"]) }}
{%- set scores = evaluated_scores() -%}
with

scores as (
    {%- for score in scores %}
    select
        '{{ score.name }}' as score,
        '{{ score.fit }}' as fit,
        '{{ score.problem }}' as problem,
        {{ score.horizon_days }} as horizon_days
    union all
    {%- endfor %}
    select
        'clusters' as score,
        'clusters' as fit,
        '%.problem' as problem,
        90 as horizon_days
),

windows as (
    select
        scores.score,
        scores.fit,
        scores.horizon_days,
        fit_dates.fitted_on,
        cast({{ dbt.dateadd('day', 'scores.horizon_days', 'fit_dates.fitted_on') }} as date) as outcome_until
    from scores
    cross join {{ ref('fit_dates') }} as fit_dates
),

evaluation as (
    select
        *,
        cast(as_of_date as date) as fitted_on
    from {{ ref('fit_evaluation') }}
),

verdicts as (
    select
        score,
        fitted_on,
        verdict,
        replaced_by,
        note
    from evaluation
    where heuristic = '(all)'
),

-- of the number of clusters that was chosen; the limits are those of Hennig, and of Tibshirani and Walther
stability as (
    select candidates.*
    from {{ ref('fit_clusters') }} as candidates
    inner join {{ ref('fit_clusters') }} as chosen
        on candidates.fitted_on = chosen.fitted_on
        and candidates.k = chosen.k
        and chosen.metric = 'verdict'
    where
        candidates.section = 'candidate'
        and candidates.metric in ('jaccard_mean', 'jaccard_min', 'adjusted_rand', 'prediction_strength')
),

measured as (
    select
        score,
        fitted_on,
        metric,
        heuristic,
        customers,
        value,
        heuristic_value,
        gain,
        gain_lower,
        gain_upper,
        verdict,
        note
    from evaluation
    where heuristic <> '(all)'
    union all
    select
        'clusters' as score,
        fitted_on,
        metric,
        '(none)' as heuristic,
        cast(null as bigint) as customers,
        value,
        cast(null as double) as heuristic_value,
        cast(null as double) as gain,
        cast(null as double) as gain_lower,
        cast(null as double) as gain_upper,
        case
            when metric = 'prediction_strength' and value > 0.8 then 'stable'
            when metric = 'prediction_strength' then 'doubtful'
            when metric = 'adjusted_rand' then null
            when value < 0.6 then 'unstable'
            when value < 0.75 then 'doubtful'
            when value <= 0.85 then 'stable'
            else 'highly stable'
        end as verdict,
        cast(null as string) as note
    from stability
),

-- a score may beat every heuristic and be far off
totals as (
    select * from {{ ref('calibration') }}
    where
        segmentation = '(all)'
        and bin = 0
),

versions as (
    select distinct
        fit,
        fitted_on,
        fit_version
    from {{ ref('fit_parameters') }}
),

-- why a score could not be fitted
problems as (
    select
        scores.score,
        parameters.fitted_on,
        min(parameters.note) as problem
    from scores
    inner join {{ ref('fit_parameters') }} as parameters
        on scores.fit = parameters.fit
        and parameters.parameter like scores.problem
    group by scores.score, parameters.fitted_on
),

latest as (
    select max(as_of_date) as latest_date from {{ ref('as_of_dates') }}
),

-- the last date on which each score was judged
last_judged as (
    select
        score,
        max(fitted_on) as fitted_on
    from measured
    where verdict is not null
    group by score
),

-- what users get on the latest date: scores that were fitted and did not lose
offered as (
    select
        scores.score,
        choices.basis = 'learned' and problems.problem is null as is_offered
    from scores
    inner join {{ ref('score_choices') }} as choices on scores.score = choices.score
    inner join latest on choices.as_of_date = latest.latest_date
    left join problems
        on scores.score = problems.score
        and choices.learned_on = problems.fitted_on
)

select
    windows.score,
    windows.fitted_on as as_of_date,
    coalesce(measured.metric, '(none)') as metric,
    coalesce(measured.heuristic, '(none)') as heuristic,
    windows.fit,
    windows.fitted_on,
    versions.fit_version,
    cast(windows.horizon_days as integer) as horizon_days,
    windows.outcome_until,
    cast(measured.customers as integer) as customers,
    measured.value,
    measured.heuristic_value,
    measured.gain,
    measured.gain_lower,
    measured.gain_upper,
    measured.verdict,
    verdicts.verdict as overall_verdict,
    verdicts.replaced_by,
    totals.ratio as total_ratio,
    totals.verdict as total_verdict,
    case when windows.fit <> 'clusters' then coalesce(offered.is_offered, false) end as is_offered,
    coalesce(windows.fitted_on = last_judged.fitted_on, false) as is_latest,
    case
        when measured.note is not null then measured.note
        when measured.metric is not null then verdicts.note
        when problems.problem is not null then problems.problem
        when windows.outcome_until > latest.latest_date then 'the outcome window ends after the data'
        else 'no buyer had a prediction'
    end as note
from windows
cross join latest
left join measured
    on windows.score = measured.score
    and windows.fitted_on = measured.fitted_on
left join verdicts
    on windows.score = verdicts.score
    and windows.fitted_on = verdicts.fitted_on
left join totals
    on windows.score = totals.score
    and windows.fitted_on = totals.as_of_date
left join versions
    on windows.fit = versions.fit
    and windows.fitted_on = versions.fitted_on
left join problems
    on windows.score = problems.score
    and windows.fitted_on = problems.fitted_on
left join offered on windows.score = offered.score
left join last_judged on windows.score = last_judged.score
