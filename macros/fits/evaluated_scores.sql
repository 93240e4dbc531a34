{#-
  The learned scores, how each is held against what came, and as part of which offer it reaches the users.

  kind: amount or probability; outcome: a column of evaluation_holdout's outcomes; heuristic: the end of the names of
  its columns in score_heuristics; beside: what the lifetime model says of the same, to compare with; variance,
  relative_error: what is behind the band of a total; problem: the parameter, as a pattern, that says why there is
  no fit.
-#}
{% macro evaluated_scores() %}
    {%- set scores = [] -%}
    {%- for days in [90, 365] -%}
        {%- for what in ['orders', 'revenue'] -%}
            {%- do scores.append({
                'name': 'expected_' ~ what ~ '_' ~ days ~ 'd',
                'fit': 'lifetime',
                'offer': 'expected_' ~ what,
                'problem': '%.problem' if what == 'revenue' else '%_nbd.problem',
                'kind': 'amount',
                'horizon_days': days,
                'outcome': what,
                'heuristic': what ~ '_' ~ days ~ 'd',
                'variance': 'expected_' ~ what ~ '_' ~ days ~ 'd_variance',
                'relative_error': ('revenue_' if what == 'revenue' else '') ~ 'relative_error_' ~ days ~ 'd',
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for name, fit, offer, horizon_days, outcome, beside in [
        ('churn_probability', 'lifetime', 'churn', var('churn_days') | int, 'is_churned', none),
        (
            'learned_order_probability', 'next_order', 'next_order', var('next_order_days') | int, 'has_order',
            'lifetime_order_probability',
        ),
    ] -%}
        {%- do scores.append({
            'name': name,
            'fit': fit,
            'offer': offer,
            'problem': '%_nbd.problem' if fit == 'lifetime' else '%.problem',
            'kind': 'probability',
            'horizon_days': horizon_days,
            'outcome': outcome,
            'heuristic': 'churn' if outcome == 'is_churned' else 'next_order',
            'beside': beside,
            'variance': none,
            'relative_error': none,
        }) -%}
    {%- endfor -%}
    {{ return(scores) }}
{% endmacro %}

{#- All horizons of outcomes, in days. -#}
{% macro outcome_horizons() %}
    {{ return(evaluated_scores() | map(attribute='horizon_days') | unique | sort) }}
{% endmacro %}
