{{ config(materialized='view') }}
{#- {fit: {model, the columns that name a parameter, the columns that hold values, whether there are notes}} -#}
{%- set fits = {
    'lifetime': {'model': 'fit_lifetime', 'path': ['model', 'parameter'], 'has_note': true},
    'next_order': {'model': 'fit_next_order', 'path': ['feature', 'metric'], 'has_note': true},
    'clusters': {
        'model': 'fit_clusters',
        'path': ['section', 'k', 'cluster_id', 'column_name', 'metric'],
        'has_note': true,
    },
    'rfm_cutoffs': {
        'model': 'fit_rfm_cutoffs',
        'path': ['metric'],
        'numbers': ['cutoff_1', 'cutoff_2', 'cutoff_3', 'cutoff_4'],
    },
    'interpurchase': {'model': 'fit_interpurchase', 'path': ['category'], 'numbers': ['interpurchase_days']},
    'value_cutoffs': {
        'model': 'fit_value_cutoffs',
        'path': [],
        'numbers': ['cutoff_1', 'cutoff_2', 'cutoff_3', 'cutoff_4'],
    },
    'order_ratios': {
        'model': 'fit_order_ratios',
        'path': [],
        'numbers': ['orders_per_purchase', 'orders_per_purchase_variance', 'margin_share'],
    },
    'outcome_rates': {
        'model': 'fit_outcome_rates',
        'path': ['horizon_days', 'recency_score', 'frequency_score'],
        'numbers': ['mean_orders', 'mean_revenue', 'order_share'],
    },
} -%}
with

parameters as (
    {%- for fit, fitted in fits.items() %}
    {%- for value in fitted.numbers or ['value'] %}
    select
        '{{ fit }}' as fit,
        fitted_on,
        concat_ws(
            '.',
            {%- for column in fitted.path %}
            cast({{ column }} as string){{ ',' if fitted.numbers or not loop.last }}
            {%- endfor %}
            {%- if fitted.numbers %}
            '{{ value }}'
            {%- endif %}
        ) as parameter,
        cast({{ value }} as double) as value,
        {{ 'note' if fitted.has_note else 'cast(null as string)' }} as note
    from {{ ref(fitted.model) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

versions as (
    select
        fit,
        fitted_on,
        left(md5({{ sorted_text("concat_ws('=', parameter, coalesce(cast(value as string), note, ''))") }}), 8)
            as fit_version
    from parameters
    group by fit, fitted_on
)

select
    parameters.fit,
    parameters.fitted_on,
    versions.fit_version,
    parameters.parameter,
    parameters.value,
    parameters.note
from parameters
inner join versions
    on parameters.fit = versions.fit
    and parameters.fitted_on = versions.fitted_on
