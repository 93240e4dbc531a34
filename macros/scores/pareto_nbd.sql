{#- Gauss-Legendre with 16 points on 0 to 1: (place, weight) of those in the lower half; the upper is its mirror image. -#}
{% macro legendre_points() %}
    {%- set points = [
        (0.005299532504175031, 0.013576229705877088),
        (0.0277124884633837, 0.031126761969323728),
        (0.06718439880608412, 0.0475792558412463),
        (0.1222977958224985, 0.062314485627767036),
        (0.19106187779867811, 0.07479799440828835),
        (0.2709916111713863, 0.08457825969750132),
        (0.35919822461037054, 0.09130170752246182),
        (0.4524937450811813, 0.09472530522753432),
    ] -%}
    {%- for place, weight in points[:] -%}
        {%- do points.append((1 - place, weight)) -%}
    {%- endfor -%}
    {{ return(points) }}
{% endmacro %}

{#-
  The integral of (1 + u/a)^-p (1 + u/b)^-q over u from 0 to a length, as in customer_segmentation/lifetime/quadrature.py:
  `fall` is the length over which the integrand first falls, `span` the logarithmic length in its units. They are
  columns, because each stands in the sum 32 times.
-#}
{% macro power_fall(a, b, p, q) -%}
    1 / (({{ p }}) / ({{ a }}) + ({{ q }}) / ({{ b }}))
{%- endmacro %}

{% macro power_span(a, b, p, q, length, fall) -%}
    ln(1 + least(
        {{ length }},
        -- beyond is less than e^-30
        ({{ a }}) * (exp(least(30 / greatest(({{ p }}) - 1, 0.1), 300)) - 1),
        ({{ b }}) * (exp(least(30 / greatest(({{ q }}) - 1, 0.1), 300)) - 1)
    ) / {{ fall }})
{%- endmacro %}

{% macro power_integral(a, b, p, q, fall, span) -%}
    {{ fall }} * {{ span }} * (
        {%- for place, weight in legendre_points() %}
        {%- set node = fall ~ ' * (exp(' ~ span ~ ' * ' ~ place ~ ') - 1)' %}
        {{ '+ ' if not loop.first }}{{ weight }} * exp(
            {{ span }} * {{ place }}
            - ({{ p }}) * ln(1 + {{ node }} / ({{ a }}))
            - ({{ q }}) * ln(1 + {{ node }} / ({{ b }}))
        )
        {%- endfor %}
    )
{%- endmacro %}

{#- The integral of e^(-rate u) over u from 0 to a length, which is a small number or not. -#}
{% macro falling(rate, length) -%}
    case
        when abs({{ rate }}) < 1e-6 then {{ length }} * (1 - ({{ rate }}) * {{ length }} / 2)
        else (1 - exp(-({{ rate }}) * {{ length }})) / ({{ rate }})
    end
{%- endmacro %}

{#- Whether a customer is still alive, as CTEs from `histories` to `alive`: customer_segmentation/lifetime/pareto_nbd.py. -#}
{% macro pareto_nbd_alive() %}
silent as (
    select
        *,
        r + repeat_purchases as shape,
        s + 1 as leaving_shape,
        alpha + last_purchase_weeks as purchase_time,
        beta + last_purchase_weeks as leaving_time,
        tenure_weeks - last_purchase_weeks as silence
    from histories
),

fallen as (
    select
        *,
        {{ power_fall('purchase_time', 'leaving_time', 'shape', 'leaving_shape') }} as fall
    from silent
),

spanned as (
    select
        *,
        {{ power_span('purchase_time', 'leaving_time', 'shape', 'leaving_shape', 'silence', 'fall') }} as span
    from fallen
),

alive as (
    select
        *,
        1 / (
            1
            -- e^650 is as good as never, and a number
            + exp(least(shape * ln(1 + silence / purchase_time) + s * ln(1 + silence / leaving_time), 650))
            * s / leaving_time
            * {{ power_integral('purchase_time', 'leaving_time', 'shape', 'leaving_shape', 'fall', 'span') | indent(12) }}
        ) as probability_alive
    from spanned
)
{%- endmacro %}

{#- What is expected of a customer who is alive, as CTEs from `states` to `if_alive`. -#}
{% macro pareto_nbd_if_alive() %}
{%- set horizons = lifetime_horizons() %}
{%- set first_purchases = {'churn': var('churn_days'), 'next': var('next_order_days')} %}
times as (
    select
        *,
        r + repeat_purchases as shape,
        r + repeat_purchases + 1 as shape_above,
        alpha + tenure_weeks as purchase_time,
        beta + tenure_weeks as leaving_time
    from states
),

fallen as (
    select
        *,
        {%- for name, days in horizons.items() %}
        {{ log1p('(' ~ weeks(days) ~ ') / leaving_time') }} as span_{{ name }},
        {%- endfor %}
        {{ power_fall('purchase_time', 'leaving_time', 'shape_above', 's') }} as fall
    from times
),

spanned as (
    select
        *,
        {%- for name, days in first_purchases.items() %}
        {{ power_span('purchase_time', 'leaving_time', 'shape_above', 's', weeks(days), 'fall') }} as span_{{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from fallen
),

if_alive as (
    select
        fitted_on,
        repeat_purchases,
        tenure_days,
        {%- for name in first_purchases %}
        -- the first purchase comes while alive, after silence
        shape / purchase_time
        * {{ power_integral('purchase_time', 'leaving_time', 'shape_above', 's', 'fall', 'span_' ~ name) | indent(8) }}
            as any_{{ name }},
        {%- endfor %}
        {%- for name in horizons %}
        shape / purchase_time * leaving_time * {{ falling('s - 1', 'span_' ~ name) | indent(8) }}
            as purchases_{{ name }},
        {%- endfor %}
        {%- for name in ('90d', '365d') %}
        shape * (shape + 1) * power(leaving_time / purchase_time, 2) * case
            when span_{{ name }} < 1e-7 then power(span_{{ name }}, 2)
            else 2 * (
                {{ falling('s - 2', 'span_' ~ name) | indent(16) }}
                - {{ falling('s - 1', 'span_' ~ name) | indent(16) }}
            )
        end as pairs_{{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from spanned
)
{%- endmacro %}
