{#- What follows from the learned revenue (its margin, its value over more years), where another revenue is offered. -#}
{% macro in_proportion(column, revenue) -%}
    case
        when {{ revenue }}_basis like 'learned%' then {{ column }}
        else {{ column }} * offered_{{ revenue }} / nullif(cast({{ revenue }} as double), 0)
    end
{%- endmacro %}

{#- What is offered of 365 days; where the 90 days come from something else, it is no less than they are. -#}
{% macro no_less_than_sooner(offer) -%}
    case
        when source_of_{{ offer }}_90d = source_of_{{ offer }}_365d or offered_{{ offer }}_365d is null
            then offered_{{ offer }}_365d
        else greatest(offered_{{ offer }}_365d, offered_{{ offer }}_90d)
    end
{%- endmacro %}
