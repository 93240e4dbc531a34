{% macro check_segmentation(name, definition, columns) %}
{% endmacro %}
