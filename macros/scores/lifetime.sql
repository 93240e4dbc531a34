{#- What the scores of lifetime value share. The maths is explained in customer_segmentation/lifetime and tested against it. -#}

{#- Time in the models is in weeks. -#}
{% macro weeks(days) -%}cast({{ days }} as double) / 7{%- endmacro %}

{#- The parameters of the models in use: {parameter: model}. -#}
{% macro lifetime_parameters() %}
    {%- set purchases = {'bg_nbd': ['r', 'alpha', 'a', 'b'], 'pareto_nbd': ['r', 'alpha', 's', 'beta']} -%}
    {%- set parameters = {} -%}
    {%- for model, names in {var('lifetime_model'): purchases[var('lifetime_model')], 'gamma_gamma': ['p', 'q', 'v']}.items() -%}
        {%- for name in names -%}
            {%- do parameters.update({name: model}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(parameters) }}
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
{% macro alive() %}{{ {'bg_nbd': bg_nbd_alive, 'pareto_nbd': pareto_nbd_alive}[var('lifetime_model')]() }}{% endmacro %}
{% macro if_alive() %}{{ {'bg_nbd': bg_nbd_if_alive, 'pareto_nbd': pareto_nbd_if_alive}[var('lifetime_model')]() }}{% endmacro %}
