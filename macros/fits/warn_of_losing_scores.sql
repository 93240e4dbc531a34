{#- Names every score that lost to a heuristic when it was last judged, with what it lost by. -#}
{% macro warn_of_losing_scores() %}
    {%- if execute -%}
        {%- set offered = evaluated_scores() | selectattr('offer') | map(attribute='name') | join("', '") -%}
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
        and score in ('{{ offered }}')
)

select
    score,
    heuristic,
    cast(fitted_on as string),
    replaced_by,
    is_offered,
    {{ sorted_text("metric || ' ' || round(value, 3) || ' against ' || round(heuristic_value, 3)") }}
from lost
where
    heuristic = case when has_lost_to_replacement = 1 then replaced_by else 'recency alone' end
    and metric in ('rank_correlation', 'rmse', 'area_under_curve', 'brier_score', 'bias')
group by score, heuristic, fitted_on, replaced_by, is_offered
order by score
        {%- endset -%}
        {%- for score, heuristic, fitted_on, replaced_by, is_offered, losses in run_query(losing).rows -%}
            {%- do exceptions.warn(
                score ~ ' lost to the ' ~ heuristic ~ ' on the holdout after ' ~ fitted_on
                ~ ' (' ~ losses | replace('|', ', ') ~ '). '
                ~ ('From the next fit on the ' ~ replaced_by ~ ' will be' if is_offered
                    else 'The ' ~ replaced_by ~ ' is')
                ~ ' offered in its place; see marts.model_evaluation.'
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
