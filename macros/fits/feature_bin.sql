{#- 0 without a value, else 1 plus the number of bounds that are passed: 1 to 10, equal values in one bin. -#}
{% macro feature_bin(value, bounds) -%}
    case
        when {{ value }} is null then 0
        else
            1
            {%- for tenth in range(1, 10) %}
            + case when {{ value }} > {{ bounds }}.bound_{{ tenth }} then 1 else 0 end
            {%- endfor %}
    end
{%- endmacro %}
