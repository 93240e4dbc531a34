{#-
  {column: what it needs} of a model, from its property file, without the columns that identify the row.
  A feature is usable in segments once it is described: that is what makes it part of the house.
  In unit tests dbt shows no graph, so nothing is known there.
-#}
{% macro documented_columns(model_name) %}
    {%- set known = found_before('documented_columns') -%}
    {%- if model_name in known -%}{{ return(known[model_name]) }}{%- endif -%}
    {%- set found = {} -%}
    {%- if execute -%}
        {%- for node in (graph.nodes or {}).values() if node.resource_type == 'model' and node.name == model_name -%}
            {%- for column in node.columns.values() if column.name not in ('customer_id', 'as_of_date', 'fitted_on', 'features_version') -%}
                {%- do found.update({column.name: column.config.get('meta', {}).get('needs') or column.get('meta', {}).get('needs')}) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if model_name == 'features_defined' -%}
        {%- for name, feature in readable_features().items() -%}{%- do found.update({name: feature.needs}) -%}{%- endfor -%}
    {%- elif model_name == 'features_attributes' -%}
        {%- for name in own_attributes() -%}{%- do found.update({name: 'customers.' ~ name}) -%}{%- endfor -%}
    {%- endif -%}
    {%- do known.update({model_name: found}) -%}
    {{ return(found) }}
{% endmacro %}
