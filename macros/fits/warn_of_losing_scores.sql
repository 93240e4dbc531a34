{#- Names every score that lost to a heuristic when it was last judged, with what it lost by. -#}
{% macro warn_of_losing_scores() %}
    {%- if execute -%}
        {%- set names = evaluated_scores() | map(attribute='name') | join("', '") -%}
        {%- set losing %}
with

lost as (
    select
        *,
        max(case when metric = 'overall' and heuristic = replaced_by then 1 else 0 end) over (partition by score)
            as has_lost_to_replacement
    from {{ this }}
    where
        is_latest
        and overall_verdict = 'worse'
        and verdict = 'worse'
        and score in ('{{ names }}')
),

choices as (
    select
        score,
        basis
    from {{ ref('score_choices') }}
    where as_of_date = (select max(as_of_date) from {{ ref('as_of_dates') }})
)

select
    lost.score,
    lost.heuristic,
    cast(lost.fitted_on as string),
    choices.basis,
    {{ sorted_text("metric || ' ' || round(value, 3) || ' against ' || round(heuristic_value, 3)") }}
from lost
left join choices on lost.score = choices.score
where
    lost.heuristic = case when has_lost_to_replacement = 1 then replaced_by else 'recency alone' end
    and metric in ('rank_correlation', 'rmse', 'area_under_curve', 'brier_score', 'bias')
group by lost.score, lost.heuristic, lost.fitted_on, choices.basis
order by lost.score
        {%- endset -%}
        {%- for score, heuristic, fitted_on, basis, losses in run_query(losing).rows -%}
            {%- do exceptions.warn(
                score ~ ' lost to the ' ~ heuristic ~ ' on the holdout after ' ~ fitted_on
                ~ ' (' ~ losses | replace('|', ', ') ~ '). '
                ~ ('The ' ~ basis ~ ' is offered in its place' if basis in ('segment mean', 'repeat rate')
                    else 'No heuristic that it did not beat is known on the latest date, so it stays')
                ~ '; see marts.model_evaluation.'
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
