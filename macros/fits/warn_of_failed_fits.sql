{#- Names every fit that failed on the latest fit date: its scores are empty from that date on. -#}
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
)

select
    scores.fit,
    cast(parameters.fitted_on as string),
    parameters.note,
    scores.score
from scores
inner join {{ ref('fit_parameters') }} as parameters
    on scores.fit = parameters.fit
    and parameters.parameter like scores.problem
where parameters.fitted_on = (select max(fitted_on) from {{ ref('fit_dates') }})
order by scores.position, parameters.note
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
