{#-
  {fit: what it is made with, as JSON} of all that is learned at fit dates. A fit is made once for its date, and again if
  its settings change. Python models, which see no variables and no macros, read their settings here too.
-#}
{% macro fits_to_make() %}
    {%- set horizons = outcome_horizons() -%}
    {%- set features = [] -%}
    {%- for feature in next_order_features_in_use() -%}
        {%- do features.append({'feature': feature.name, 'transform': feature.transform, 'value': feature['value']}) -%}
    {%- endfor -%}
    {%- set settings = {
        'fit_clusters': {'method': var('cluster_method'), 'columns': cluster_columns()},
        'fit_lifetime': {'model': var('lifetime_model')},
        'fit_next_order': {'days': var('next_order_days'), 'features': features},
        'fit_order_ratios': {},
        'fit_outcome_rates': {'horizons': horizons, 'cutoffs': var('rfm_cutoffs') or {}},
        'fit_feature_bins': {'features': drift_features()},
    } -%}
    {%- set texts = {} -%}
    {%- for fit, setting in settings.items() -%}{%- do texts.update({fit: tojson(setting)}) -%}{%- endfor -%}
    {{ return(texts) }}
{% endmacro %}

{% macro settings_hash(fit, settings=none) %}{{ return(local_md5(settings or fits_to_make()[fit])[:8] if execute else '') }}{% endmacro %}

{#- SQL for the dates of which a fit is stored that was made with these settings; none where all are due. -#}
{% macro fits_made(fit, settings) %}
    {%- if not execute or is_unit_test() or flags.FULL_REFRESH -%}{{ return(none) }}{%- endif -%}
    {%- set relation = built_model(fit) -%}
    {%- set stored = adapter.get_relation(relation.database, relation.schema, relation.identifier) -%}
    {%- if stored is none or 'made_with' not in adapter.get_columns_in_relation(stored) | map(attribute='name') -%}{{ return(none) }}{%- endif -%}
    {{ return("select made.fitted_on from " ~ stored ~ " as made where made.made_with = '" ~ settings_hash(fit, settings) ~ "'") }}
{% endmacro %}

{#- The dates of the grid after which nothing is known yet are no fit dates, even if a mistyped date once made them so. -#}
{% macro forget_later_dates() %}
    {%- if execute -%}
delete from {{ this }} where fitted_on > (select max(as_of_date) from {{ built_model('as_of_dates') }})
    {%- endif -%}
{% endmacro %}

{#- What predictions and outcomes are made with: holdouts of other settings are none. -#}
{% macro evaluation_settings() %}
    {{ return(local_md5([fits_to_make(), var('churn_days'), var('value_horizon_days'), var('discount_rate')] | string)[:8] if execute else '') }}
{% endmacro %}

{% macro forget_other_settings() %}delete from {{ this }} where made_with <> '{{ evaluation_settings() }}'{% endmacro %}

{#- SQL for the outcome windows that are over and not yet judged: fitted_on, score. -#}
{% macro windows_due() -%}
select
    fit_dates.fitted_on,
    scores.score
from {{ ref('fit_dates') }} as fit_dates
cross join (
    {%- for score in evaluated_scores() %}
    select '{{ score.name }}' as score, {{ score.horizon_days }} as horizon_days
    union all
    {%- endfor %}
    select 'clusters' as score, 90 as horizon_days
) as scores
where
    cast({{ dbt.dateadd('day', 'scores.horizon_days', 'fit_dates.fitted_on') }} as date)
    <= (select max(as_of_date) from {{ ref('as_of_dates') }})
    {%- if is_incremental() %}
    and not exists (
        select 1 from {{ this }} as judged
        where
            judged.as_of_date = fit_dates.fitted_on
            -- others of the date were over later: this one was judged with them, even if nobody had a prediction
            and judged.outcome_until >= {{ dbt.dateadd('day', 'scores.horizon_days', 'fit_dates.fitted_on') }}
            and judged.made_with = '{{ evaluation_settings() }}'
    )
    {%- endif %}
{%- endmacro %}

{#- A condition for the dates of these windows, in words that need no query: where nothing is due nothing is read. -#}
{% macro dates_to_judge() %}
    {%- if not execute or is_unit_test() or flags.WHICH not in ('run', 'build') -%}{{ return('true') }}{%- endif -%}
    {%- set dates = run_query('select distinct fitted_on from (' ~ windows_due() ~ ') as due').columns[0].values() -%}
    {{ return("as_of_date in (date '" ~ dates | join("', date '") ~ "')" if dates else 'false') }}
{% endmacro %}
