{#- What the scores of lifetime value share. The maths is explained in customer_segmentation/lifetime and tested against it. -#}

{#- Time in the models is in weeks. -#}
{% macro weeks(days) -%}cast({{ days }} as double) / 7{%- endmacro %}

{#- The parameters of the models: {parameter: the model that it is taken from}. -#}
{% macro lifetime_parameters() %}
    {{ return({
        'r': var('lifetime_model'),
        'alpha': var('lifetime_model'),
        'a': 'bg_nbd',
        'b': 'bg_nbd',
        's': 'pareto_nbd',
        'beta': 'pareto_nbd',
        'p': 'gamma_gamma',
        'q': 'gamma_gamma',
        'v': 'gamma_gamma',
    }) }}
{% endmacro %}

{#- Lobatto's rule in the square root of time, for present values: (share of the horizon, weight) of each point. -#}
{% macro lobatto_points() %}
    {{ return([
        (0.02981602178886858, 0.09401094519616178),
        (0.25, 0.35555555555555557),
        (0.6844696924968456, 0.45043349924828263),
        (1, 0.1),
    ]) }}
{% endmacro %}

{#- The times until which purchases are needed: {name: days}. -#}
{% macro lifetime_horizons() %}
    {%- set horizons = {'90d': 90, '365d': 365} -%}
    {%- for share, _ in lobatto_points() -%}
        {%- do horizons.update({'point_' ~ loop.index: share * var('value_horizon_days')}) -%}
    {%- endfor -%}
    {{ return(horizons) }}
{% endmacro %}

{#- The present value of purchases until the horizon, from those until each point, by parts. -#}
{% macro discounted_purchases() -%}
    {%- set rate = 'ln(1 + cast(' ~ var('discount_rate') ~ ' as double)) * ' ~ var('value_horizon_days') ~ ' / 365' -%}
    exp(-{{ rate }}) * purchases_point_{{ lobatto_points() | length }}
    {%- for share, weight in lobatto_points() %}
        + {{ rate }} * {{ weight }} * exp(-{{ rate }} * {{ share }}) * purchases_point_{{ loop.index }}
    {%- endfor %}
{%- endmacro %}

{#- The CTEs of the model in use: each from `histories` to `alive`, and from `states` to `if_alive`. -#}
{% macro alive() %}{{ pareto_nbd_alive() if var('lifetime_model') == 'pareto_nbd' else bg_nbd_alive() }}{% endmacro %}
{% macro if_alive() %}{{ pareto_nbd_if_alive() if var('lifetime_model') == 'pareto_nbd' else bg_nbd_if_alive() }}{% endmacro %}
