{#- The variables that stored fits were made with, as text: {name: value}. A changed one asks for another fit. -#}
{% macro fit_variables() %}
    {%- set variables = {} -%}
    {%- for name in [
        'cluster_method', 'lifetime_model', 'next_order_days', 'churn_days', 'rfm_cutoffs', 'discount_rate', 'value_horizon_days'
    ] -%}
        {%- do variables.update({name: tojson(var(name) or {}, sort_keys=true) if name == 'rfm_cutoffs' else var(name) | string}) -%}
    {%- endfor -%}
    {{ return(variables) }}
{% endmacro %}

{#- Called at the start of every run: fits that are applied, and not made, must have been made with these variables. -#}
{% macro check_stored_fits() %}
    {%- set made_with = 'model.customer_segmentation.fits_made_with' -%}
    {%- if execute and made_with in graph.nodes and made_with not in selected_resources -%}
        {%- set applied = [] -%}
        {%- for resource in selected_resources if resource in graph.nodes -%}
            {%- set node = graph.nodes[resource] -%}
            {%- if node.resource_type == 'model' and node.schema == graph.nodes['model.customer_segmentation.score_expectations'].schema -%}
                {%- do applied.append(node.name) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set node = graph.nodes[made_with] -%}
        {%- set stored = adapter.get_relation(node.database, node.schema, node.alias) if applied else none -%}
        {%- if stored is not none -%}
            {%- set now = fit_variables() -%}
            {%- for variable, value in run_query('select variable, value from ' ~ stored ~ ' order by variable').rows -%}
                {%- if variable in now and now[variable] != value -%}
                    {%- do exceptions.raise_compiler_error(
                        'The variable ' ~ variable ~ ' is ' ~ now[variable] ~ ', and the stored fits were made with ' ~ value
                        ~ '. Fit anew with make build (dbt build without --exclude tag:fit), or set the variable back.'
                    ) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
