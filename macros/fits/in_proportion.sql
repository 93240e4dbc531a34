{#- What follows from the learned revenue (its margin, its value over more years), where another revenue is offered. -#}
{% macro in_proportion(column, days) -%}
    case expected_revenue_basis
        when 'learned' then {{ column }}
        else
            {{ column }} * offered_expected_revenue_{{ days }}d
            / nullif(cast(expected_revenue_{{ days }}d as double), 0)
    end
{%- endmacro %}
