{{ config(post_hook="{{ warn_of_losing_scores() }}") }}
{%- set scores = evaluated_scores() -%}
with

scores as (
    {%- for score in scores %}
    select
        '{{ score.name }}' as score,
        '{{ score.fit }}' as fit,
        {{ as_text(score.offer) }} as offer,
        {{ score.horizon_days }} as horizon_days
    union all
    {%- endfor %}
    select
        'clusters' as score,
        'clusters' as fit,
        cast(null as string) as offer,
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
        note,
        fitted_on = max(case when verdict is not null then fitted_on end) over (partition by score) as is_latest
    from evaluation
    where heuristic = '(all)'
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
        verdict,
        note
    from {{ ref('cluster_stability') }}
),

parameters as (
    select
        fit,
        fitted_on,
        max(fit_version) as fit_version,
        max(case when value is null then note end) as problem,
        count(value) as parameters
    from {{ ref('fit_parameters') }}
    group by fit, fitted_on
),

latest as (
    select max(as_of_date) as latest_date from {{ ref('as_of_dates') }}
),

-- what users get on the latest date: scores that were fitted and did not lose
offered as (
    select
        scores.score,
        choices.basis = 'learned' and parameters.parameters > 0 as is_offered
    from scores
    inner join {{ ref('score_choices') }} as choices on scores.offer = choices.offer
    inner join parameters
        on scores.fit = parameters.fit
        and choices.fitted_on = parameters.fitted_on
    where choices.fitted_on = (select max(fit_dates.fitted_on) from {{ ref('fit_dates') }} as fit_dates)
)

select
    windows.score,
    windows.fitted_on as as_of_date,
    coalesce(measured.metric, '(none)') as metric,
    coalesce(measured.heuristic, '(none)') as heuristic,
    windows.fit,
    windows.fitted_on,
    parameters.fit_version,
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
    case when windows.fit <> 'clusters' then coalesce(offered.is_offered, false) end as is_offered,
    coalesce(verdicts.is_latest, false) as is_latest,
    case
        when measured.note is not null then measured.note
        when measured.metric is not null then verdicts.note
        when parameters.problem is not null then parameters.problem
        when windows.outcome_until > latest.latest_date then 'the outcome window ends after the data'
        else 'nobody to judge by'
    end as note
from windows
cross join latest
left join measured
    on windows.score = measured.score
    and windows.fitted_on = measured.fitted_on
left join verdicts
    on windows.score = verdicts.score
    and windows.fitted_on = verdicts.fitted_on
left join parameters
    on windows.fit = parameters.fit
    and windows.fitted_on = parameters.fitted_on
left join offered on windows.score = offered.score
