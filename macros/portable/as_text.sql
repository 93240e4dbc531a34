{#- A text as an SQL literal; an absent one as null. -#}
{% macro as_text(value) -%}
    {%- if value is none or value is undefined -%}cast(null as string)
    {%- else -%}cast('{{ value | string | replace("'", "''") | trim }}' as string)
    {%- endif -%}
{%- endmacro %}
