{#-
  Segment definitions, compiled. A definition is the `segmentation` entry in the meta of a model segments_<name>;
  docs/guides/add_a_segment.md says how to write one.
-#}

{#-
  The one line of a segments_ model: who is in which segment, and the values that put them there.

  dbt finds a macro by its bare name in the project whose model it compiles, and nowhere else. A model of a project that
  uses this one as a package is therefore handed the macros of this one first.
-#}
{% macro segmentation() %}
    {%- do context.update(customer_segmentation) if model.package_name != 'customer_segmentation' -%}
    {{ return(customer_segmentation.segmentation_sql()) }}
{% endmacro %}

{% macro segmentation_sql() %}
    {#- in a unit test `model` is the test -#}
    {%- set name = (model.tested_node_unique_id or model.name).split('segments_')[-1] -%}
    {%- if execute -%}{%- do check_segmentation(name, segmentation_as_written(name), segmentation_columns()) -%}{%- endif -%}
    {%- set definition = segmentation_definition(name) -%}
{{ segment_members(definition, ref('customer_features')) }}
{% endmacro %}

{#- Who is in which segment by features and scores side by side, and the values that put them there. -#}
{% macro segment_members(definition, features) -%}
with

placed as (
    select
        *,
        {% if definition.assignment == 'all_matches' -%}
        {{ split_to_rows(segment_expression(definition), '|') }} as segment
        {%- else -%}
        {{ segment_expression(definition) }} as segment
        {%- endif %}
    from {{ features }}
)

select
    customer_id,
    as_of_date,
    segment,
    {{ evidence_expression(definition) }} as evidence
from placed
where segment is not null
{%- endmacro %}

{#-
  The definition with its conditions resolved, and what follows from it:
  version      see definition_version
  columns      {column: needs} used by each segment's condition
  left_out     why a segment can't be told from the inputs that are there (empty: it can)
-#}
{% macro segmentation_definition(name) %}
    {%- set known = found_before('definitions') -%}
    {%- if name in known -%}{{ return(known[name]) }}{%- endif -%}
    {%- set definition = {'name': name, 'segments': [], 'version': '', 'left_out': {}, 'assignment': 'first_match'} -%}
    {%- if execute -%}
        {%- set written = resolved_segmentation(name, segmentation_as_written(name)) -%}
        {%- set columns = segmentation_columns() -%}
        {%- set segments = [] -%}
        {%- set left_out = {} -%}
        {%- for segment in written.segments or [] -%}
            {%- set used = columns_in(segment.when or '', columns) -%}
            {%- set lacking = inputs_lacking(used + columns_in(written.population or '', columns), columns) -%}
            {%- if segment.when and lacking -%}{%- do left_out.update({segment.name: lacking | join(', ')}) -%}{%- endif -%}
            {%- do segments.append(dict(segment, columns=used)) -%}
        {%- endfor -%}
        {%- do definition.update(written) -%}
        {%- if written.assignment == 'learned' -%}
            {%- set lacking = inputs_lacking([written.column], columns) -%}
            {%- if lacking -%}{%- do left_out.update({'(all)': lacking | join(', ')}) -%}{%- endif -%}
        {%- endif -%}
        {%- do definition.update({'segments': segments, 'left_out': left_out, 'version': definition_version(written, left_out)}) -%}
    {%- endif -%}
    {%- do known.update({name: definition}) -%}
    {{ return(definition) }}
{% endmacro %}

{#- Of a resolved definition: changes whenever a customer's segment can change by it, not with labels, treatments or line breaks. -#}
{% macro definition_version(written, left_out) %}
    {%- set meaning = [written.assignment, written.otherwise or '', condition_tokens(written.population or '')] -%}
    {%- if written.assignment == 'learned' -%}
        {%- do meaning.append(written.column) -%}
    {%- else -%}
        {%- set used = condition_tokens(written.population or '') -%}
        {%- for segment in written.segments if segment.name not in left_out -%}
            {%- do meaning.append([segment.name, condition_tokens(segment.when or '')]) -%}
            {%- do used.extend(condition_tokens(segment.when or '')) -%}
        {%- endfor -%}
        {#- a feature that is defined otherwise means something else -#}
        {%- for name, feature in defined_features().items() if name in used -%}{%- do meaning.append([name, feature]) -%}{%- endfor -%}
    {%- endif -%}
    {{ return(local_md5(tojson(meaning, sort_keys=true))[:8]) }}
{% endmacro %}

{% macro segmentation_as_written(name) %}
    {%- for node in (graph.nodes or {}).values() if node.resource_type == 'model' and node.name == 'segments_' ~ name -%}
        {{ return(node.config.meta.segmentation) }}
    {%- endfor -%}
{% endmacro %}

{#- {column: what it needs} of everything that a condition may use. -#}
{% macro segmentation_columns() %}
    {%- set columns = found_before('segmentation_columns') -%}
    {%- if columns -%}{{ return(columns) }}{%- endif -%}
    {%- for model_name in feature_models() + score_models() + learned_score_models() -%}
        {%- do columns.update(documented_columns(model_name)) -%}
    {%- endfor -%}
    {{ return(columns) }}
{% endmacro %}

{#- What some columns need that isn't there, or says next to nothing: an input, or any of some columns of inputs. -#}
{% macro inputs_lacking(used, columns) %}
    {%- set lacking = [] -%}
    {%- for column in used if columns[column] -%}
        {%- set needs = [columns[column]] if columns[column] is string else columns[column] -%}
        {%- set provided, told = [], [] -%}
        {%- for need in needs -%}
            {%- set absent, empty = [], [] -%}
            {%- for part in need.split(' and ') -%}
                {%- set input, input_column = (part ~ '.').split('.')[:2] -%}
                {%- if not (input_column in filled_columns(input) if input_column else filled_columns(input)) -%}{%- do absent.append(part) -%}{%- endif -%}
                {%- if part in absent and input_column in mapped_columns(input) -%}{%- do empty.append(part) -%}{%- endif -%}
            {%- endfor -%}
            {%- if not absent -%}{%- do provided.append(need) -%}{%- endif -%}
            {%- do told.append(need ~ (' (nearly empty)' if empty else '')) -%}
        {%- endfor -%}
        {%- if not provided -%}{%- do lacking.append(told | join(' or ')) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(lacking | unique | list) }}
{% endmacro %}

{#- The segments that can be told from the inputs that are there; none if the segmentation is left out whole. -#}
{% macro segments_in_use(definition) %}
    {%- set in_use = [] -%}
    {%- for segment in definition.segments if segment.when and segment.name not in definition.left_out -%}
        {%- do in_use.append(segment) -%}
    {%- endfor -%}
    {{ return(in_use) }}
{% endmacro %}

{% macro is_in_use(definition) %}
    {{ return(not definition.left_out if definition.assignment == 'learned' else segments_in_use(definition) | length > 0) }}
{% endmacro %}

{#- SQL for a customer's segment: its name, or for overlapping ones all names between bars; null outside of all. -#}
{% macro segment_expression(definition) -%}
    {%- set in_use = segments_in_use(definition) -%}
    {%- set population = null_if_undefined(definition.population or 'true') -%}
    {%- if not is_in_use(definition) -%}
    cast(null as string)
    {%- elif definition.assignment == 'learned' -%}
    case when {{ population }} then {{ definition.column }} end
    {%- elif definition.assignment == 'all_matches' -%}
    case when {{ population }} then coalesce(nullif(concat_ws('|'
        {%- for segment in in_use %},
        case when {{ null_if_undefined(segment.when) }} then '{{ segment.name }}' end
        {%- endfor %}
    ), ''), {{ "'" ~ definition.otherwise ~ "'" if definition.otherwise else 'null' }}) end
    {%- else -%}
    case
        {%- if definition.population %}
        when coalesce(not ({{ population }}), true) then null
        {%- endif %}
        {%- for segment in in_use %}
        when {{ null_if_undefined(segment.when) }} then '{{ segment.name }}'
        {%- endfor %}
        {%- if definition.otherwise %}
        else '{{ definition.otherwise }}'
        {%- endif %}
    end
    {%- endif -%}
{%- endmacro %}

{#- SQL for the values that made a segment's condition true, as text. -#}
{% macro evidence_expression(definition) -%}
    {%- set all_columns = [] -%}
    {%- if definition.assignment == 'learned' -%}
    {{ values_as_text(definition.evidence or [definition.column]) }}
    {%- else -%}
    case segment
        {%- for segment in definition.segments if segment.columns %}
        when '{{ segment.name }}' then {{ values_as_text(segment.columns) }}
        {%- do all_columns.extend(segment.columns) -%}
        {%- endfor %}
        else {{ values_as_text(all_columns | unique | list) }}
    end
    {%- endif -%}
{%- endmacro %}

{% macro values_as_text(columns) -%}
    {%- if columns -%}
    concat_ws(', '
        {%- for column in columns %}, concat('{{ column }} = ', coalesce(cast({{ column }} as string), 'unknown')){% endfor -%}
    )
    {%- else -%}
    ''
    {%- endif -%}
{%- endmacro %}

{#- The columns that a condition uses, in the order in which it does. -#}
{% macro columns_in(condition, columns) %}
    {{ return(condition_tokens(condition) | select('in', columns) | unique | list) }}
{% endmacro %}
