{#- Whether a customer is still alive, as CTEs from `histories` to `alive`: customer_segmentation/lifetime/bg_nbd.py. -#}
{% macro bg_nbd_alive() %}
alive as (
    select
        *,
        case
            when repeat_purchases = 0 then 1
            -- e^650 is as good as never, and a number
            else 1 / (
                1
                + a / (b + repeat_purchases - 1)
                * exp(least((r + repeat_purchases) * ln((alpha + tenure_weeks) / (alpha + last_purchase_weeks)), 650))
            )
        end as probability_alive
    from histories
)
{%- endmacro %}

{#-
  What is expected of a customer who is alive, as CTEs from `states` to `if_alive`: customer_segmentation/lifetime/bg_nbd.py.

  Means over p ~ beta(a, b + x), the chance to leave after a purchase, are sums over nodes. These depend on the fit and
  on x alone, so they are worked out once for each x. The ends p = 0 and p = 1 are taken out first: what is left is
  smooth, however close to 0 a and b are. What is summed is rounded to whole billionths, because only sums of whole
  numbers are the same in any order of the rows.
-#}
{% macro bg_nbd_if_alive() %}
{%- set horizons = lifetime_horizons() %}
{%- set nodes = 31 %}
scaled as (
    select
        *,
        r + repeat_purchases as shape,
        b + repeat_purchases as b_left,
        {%- for name, days in horizons.items() %}
        {{ weeks(days) }} / (alpha + tenure_weeks) as time_{{ name }},
        {%- endfor %}
        {{ weeks(var('churn_days')) }} / (alpha + tenure_weeks) as time_churn,
        {{ weeks(var('next_order_days')) }} / (alpha + tenure_weeks) as time_next
    from states
),

-- the chance of a purchase within each time of who does not leave before
chances as (
    select
        *,
        {%- for name in horizons %}
        1 - power(1 + time_{{ name }}, -shape) as any_{{ name }},
        {%- endfor %}
        1 - power(1 + time_churn, -shape) as any_churn,
        1 - power(1 + time_next, -shape) as any_next
    from scaled
),

steps as (
    select step
    from (
        values
        {%- for node in range(nodes) %}
        (cast({{ 5 * node / (nodes - 1) - 2.5 }} as double)){{ ',' if not loop.last }}
        {%- endfor %}
    ) as steps (step)
),

betas as (
    select distinct
        fitted_on,
        repeat_purchases,
        a + 1 as a_above,
        b_left + 1 as b_above
    from scaled
),

-- equal steps on a scale that reaches the tails: around the mode, in standard deviations, stretched
logits as (
    select
        betas.*,
        (exp(steps.step) + exp(-steps.step)) / 2 as stretch,
        ln(betas.a_above / betas.b_above)
        + sqrt(1 / betas.a_above + 1 / betas.b_above) * 1.25 * (exp(steps.step) - exp(-steps.step)) as logit
    from betas
    cross join steps
),

nodes as (
    select
        fitted_on,
        repeat_purchases,
        1 / (1 + exp(-logit)) as p,
        1 / (1 + exp(logit)) as q,
        -- relative to the mode
        stretch * exp(
            -a_above * ln((1 + exp(-logit)) * a_above / (a_above + b_above))
            - b_above * ln((1 + exp(logit)) * b_above / (a_above + b_above))
        ) as weight
    from logits
),

silent as (
    select
        chances.*,
        nodes.p,
        nodes.q,
        {%- for name in horizons %}
        power(1 + nodes.p * chances.time_{{ name }}, -chances.shape) as silent_{{ name }},
        {%- endfor %}
        nodes.weight
    from chances
    inner join nodes
        on chances.fitted_on = nodes.fitted_on
        and chances.repeat_purchases = nodes.repeat_purchases
),

-- between the ends, in units of the value at p = 0; where a difference would be lost in rounding, the first terms of
-- its series
sums as (
    select
        fitted_on,
        repeat_purchases,
        tenure_days,
        {%- for name in horizons %}
        {%- set time = 'time_' ~ name %}
        sum(round(1e9 * weight / q * case
            when (shape + 1) * p * {{ time }} < 1e-3
                then -(shape + 1) * {{ time }} / 2 * (1 - (shape + 2) * p * {{ time }} / 3)
            else ((1 - silent_{{ name }}) / (shape * p * {{ time }}) - 1) / p
        end)) as sum_{{ name }},
        {%- endfor %}
        {%- for name in ('90d', '365d') %}
        {%- set time = 'time_' ~ name %}
        sum(round(1e9 * weight * case
            when (shape + 1) * p * {{ time }} < 1e-2
                then
                    (shape + 2) * {{ time }}
                    * ((shape + 3) * p * {{ time }} * (1e0 / 4 - (shape + 4) * p * {{ time }} / 15) - 2e0 / 3)
            else (
                2 * (1 - silent_{{ name }} * (1 + shape * p * {{ time }} / (1 + p * {{ time }})))
                / (shape * (shape + 1) * p * {{ time }} * p * {{ time }})
                - 1
            ) / p
        end)) as sum_of_pairs_{{ name }},
        {%- endfor %}
        sum(round(1e9 * weight / q)) as sum_by_q,
        sum(round(1e9 * weight)) as sum_of_weights
    from silent
    group by fitted_on, repeat_purchases, tenure_days
),

shares as (
    select
        chances.*,
        {%- for name in horizons %}
        sums.sum_{{ name }},
        {%- endfor %}
        sums.sum_of_pairs_90d,
        sums.sum_of_pairs_365d,
        sums.sum_by_q,
        chances.a / (chances.a + chances.b_left) as leaving,
        chances.b_left / (chances.a + chances.b_left) as staying,
        chances.a / (chances.a + chances.b_left) * chances.b_left / (chances.a + chances.b_left + 1)
        / sums.sum_of_weights as between_ends
    from chances
    inner join sums
        on chances.fitted_on = sums.fitted_on
        and chances.repeat_purchases = sums.repeat_purchases
        and chances.tenure_days = sums.tenure_days
),

if_alive as (
    select
        fitted_on,
        repeat_purchases,
        tenure_days,
        any_churn,
        any_next,
        {%- for name in horizons %}
        shape * time_{{ name }} * (staying + between_ends * (sum_{{ name }} + sum_by_q))
        + any_{{ name }} * (leaving - between_ends * sum_by_q) as purchases_{{ name }},
        {%- endfor %}
        {%- for name in ('90d', '365d') %}
        shape * (shape + 1) * time_{{ name }} * time_{{ name }} * (staying + between_ends * sum_of_pairs_{{ name }})
            as pairs_{{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from shares
)
{%- endmacro %}
