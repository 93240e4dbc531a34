{#-
  Names every fit that failed on the latest fit date and not on the one before: its scores are empty from that date on.
  Where there never was enough data nothing is lost; model_evaluation says what is lacking.
-#}
{% macro warn_of_failed_fits() %}
    {%- if execute -%}
        {%- set scores = evaluated_scores() + [{'name': 'nearest_cluster', 'fit': 'clusters', 'problem': '%.problem'}] -%}
        {%- set failed %}
with

scores as (
    {%- for score in scores %}
    select
        {{ loop.index }} as position,
        '{{ score.name }}' as score,
        '{{ score.fit }}' as fit,
        '{{ score.problem }}' as problem
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

fit_dates as (
    select
        fitted_on,
        row_number() over (order by fitted_on desc) as age
    from {{ ref('fit_dates') }}
),

failed as (
    select
        scores.position,
        scores.fit,
        scores.score,
        parameters.note,
        fit_dates.fitted_on,
        fit_dates.age
    from scores
    inner join {{ ref('fit_parameters') }} as parameters
        on scores.fit = parameters.fit
        and parameters.parameter like scores.problem
    inner join fit_dates on parameters.fitted_on = fit_dates.fitted_on
),

failed_before as (
    select distinct score from failed
    where age = 2
)

select
    failed.fit,
    cast(failed.fitted_on as string),
    failed.note,
    failed.score
from failed
left join failed_before on failed.score = failed_before.score
where
    failed.age = 1
    and failed_before.score is null
    and (select count(*) from fit_dates) > 1
order by failed.position, failed.note
        {%- endset -%}
        {%- set problems = {} -%}
        {%- for fit, fitted_on, note, score in run_query(failed).rows -%}
            {%- do problems.setdefault((fit, fitted_on, note), []).append(score) -%}
        {%- endfor -%}
        {%- for (fit, fitted_on, note), names in problems.items() -%}
            {%- do exceptions.warn(
                'The ' ~ fit ~ ' fit of ' ~ fitted_on ~ ' failed: ' ~ note ~ '. Empty from that date on: '
                ~ names | join(', ') ~ '; see marts.model_evaluation.'
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
