{#-
  All definitions compiled, as JSON: what `segmentation diff` and `segmentation explain` read of a project.

  relation     where customer_features stand
  problems     {segmentation: what is wrong with it}; one with a problem isn't compiled
  definitions  all others, with the SQL that assigns customers; left_out_whole: what the inputs lack, if they lack something
  raw_columns  {column: model} of those that are facts of customers, and not learned from others
-#}
{% macro definitions_for_review() %}
    {%- if project_name != 'customer_segmentation' -%}{%- do context.update(customer_segmentation) -%}{%- endif -%}
    {{ return(customer_segmentation.definitions_as_json()) }}
{% endmacro %}

{% macro definitions_as_json() %}
    {%- set relation = ref('customer_segmentation', 'customer_features') -%}
    {%- set review = {'relation': relation | string, 'problems': {}, 'definitions': [], 'raw_columns': {}} -%}
    {%- if execute -%}
        {%- set columns = segmentation_columns() -%}
        {%- for name in var('segmentations') -%}
            {%- set problems = segmentation_problems(name, segmentation_as_written(name), columns) -%}
            {%- set definition = segmentation_definition(name) if not problems else {} -%}
            {%- if problems -%}
                {%- do review.problems.update({name: problems}) -%}
            {%- else -%}
                {%- set used = columns_in(definition.population or '', columns) -%}
                {%- for segment in definition.segments -%}{%- do used.extend(segment.columns) -%}{%- endfor -%}
                {%- if definition.column -%}{%- do used.append(definition.column) -%}{%- endif -%}
                {%- do review.definitions.append(dict(
                    definition,
                    written=segmentation_as_written(name),
                    columns=used | unique | list,
                    expression=segment_expression(definition),
                    left_out_whole=none if is_in_use(definition) else definition.left_out.values() | first,
                )) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- for model_name in feature_models() -%}
            {%- for column in documented_columns(model_name) -%}{%- do review.raw_columns.update({column: model_name}) -%}{%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(tojson(review)) }}
{% endmacro %}
