{#-
  Schemas are the rooms of the house, by their own names: marts.customers, not main_marts.customers. dbt asks this macro
  for our models also where another project uses this one as a package; if that project has a rule of its own, it holds.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set rule = (context.get(project_name) or {}).get('generate_schema_name') -%}
    {%- if rule and project_name != 'customer_segmentation' -%}
    {{ rule(custom_schema_name, node) }}
    {%- else -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
    {%- endif -%}
{%- endmacro %}
