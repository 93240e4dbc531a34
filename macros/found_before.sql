{#-
  What is the same for every node of a run and takes time to find out: a mapping for each kind of it, kept beside dbt's
  graph, which all nodes of an invocation see. Unit tests, which see no graph and may override macros, find out anew.
-#}
{% macro found_before(kind) %}
    {{ return(graph.setdefault('found_before', {}).setdefault(kind, {}) if execute and graph.nodes else {}) }}
{% endmacro %}
