{#- Schemas are the rooms of the house, by their own names: marts.customers, not main_marts.customers. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
