{#-
  Segment definitions, compiled. A definition is the `segmentation` entry in the meta of a model segments_<name>;
  docs/guides/add_a_segment.md says how to write one.
-#}

{#- The one line of a segments_ model: who is in which segment, and the values that put them there. -#}
{% macro segmentation(name=model.name | replace('segments_', '')) %}
    {%- set definition = segmentation_definition(name) -%}
    {%- set is_split = definition.assignment == 'all_matches' -%}
with

placed as (
    select
        *,
        {% if is_split -%}
        {{ split_to_rows(segment_expression(definition), '|') }} as segment
        {%- else -%}
        {{ segment_expression(definition) }} as segment
        {%- endif %}
    from {{ ref('customer_features') }}
)

select
    customer_id,
    as_of_date,
    segment,
    {{ evidence_expression(definition) }} as evidence
from placed
where segment is not null
{% endmacro %}

{#-
  The definition as written, with what follows from it:
  version      changes whenever a customer's segment can change by it, and not with labels or treatments
  columns      {column: needs} used by each segment's condition
  left_out     why a segment can't be told from the inputs that are there (empty: it can)
-#}
{% macro segmentation_definition(name) %}
    {%- set definition = {'name': name, 'segments': [], 'version': '', 'left_out': {}, 'assignment': 'first_match'} -%}
    {%- if execute -%}
        {%- set written = segmentation_as_written(name) -%}
        {%- set columns = segmentation_columns() -%}
        {%- do check_segmentation(name, written, columns) -%}
        {%- set segments = [] -%}
        {%- set left_out = {} -%}
        {%- set meaning = [written.assignment or '', written.otherwise or '', written.population or ''] -%}
        {%- for segment in written.segments -%}
            {%- set used = columns_in(segment.when or '', columns) -%}
            {%- set lacking = [] -%}
            {%- for column in used if not is_provided(columns[column]) -%}{%- do lacking.append(columns[column]) -%}{%- endfor -%}
            {%- if lacking -%}{%- do left_out.update({segment.name: lacking | join(', ')}) -%}{%- endif -%}
            {%- do segments.append(dict(segment, columns=used)) -%}
            {%- do meaning.append([segment.name, modules.re.sub('\\s+', ' ', segment.when or '') | trim]) -%}
        {%- endfor -%}
        {%- do definition.update(written) -%}
        {%- do definition.update({'segments': segments, 'left_out': left_out, 'version': local_md5(tojson(meaning))[:8]}) -%}
    {%- endif -%}
    {{ return(definition) }}
{% endmacro %}

{% macro segmentation_as_written(name) %}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == 'segments_' ~ name -%}
        {{ return(node.config.meta.segmentation) }}
    {%- endfor -%}
{% endmacro %}

{#- {column: what it needs} of everything that a condition may use. -#}
{% macro segmentation_columns() %}
    {%- set columns = {} -%}
    {%- for model_name in feature_models() + score_models() -%}
        {%- do columns.update(documented_columns(model_name)) -%}
    {%- endfor -%}
    {{ return(columns) }}
{% endmacro %}

{#- Whether the inputs that are there provide a need: an input, or any of some columns of inputs. -#}
{% macro is_provided(needs) %}
    {%- for need in ([needs] if needs is string else needs or []) -%}
        {%- set input, column = (need ~ '.').split('.')[:2] -%}
        {%- if has_input(input) and (not column or column in mapped_columns(input)) -%}{{ return(true) }}{%- endif -%}
    {%- endfor -%}
    {{ return(not needs) }}
{% endmacro %}

{#- The segments that can be told from the inputs that are there; none if the segmentation is left out whole. -#}
{% macro segments_in_use(definition) %}
    {%- set in_use = [] -%}
    {%- for segment in definition.segments if segment.when and segment.name not in definition.left_out -%}
        {%- do in_use.append(segment) -%}
    {%- endfor -%}
    {{ return(in_use) }}
{% endmacro %}

{#- SQL for a customer's segment: its name, or for overlapping ones all names between bars; null outside of all. -#}
{% macro segment_expression(definition) -%}
    {%- set in_use = segments_in_use(definition) -%}
    {%- if not in_use -%}
    cast(null as {{ dbt.type_string() }})
    {%- elif definition.assignment == 'all_matches' -%}
    nullif(concat_ws('|'
        {%- for segment in in_use %},
        case when {{ segment.when }} then '{{ segment.name }}' end
        {%- endfor %}
    ), '')
    {%- else -%}
    case
        {%- if definition.population %}
        when coalesce(not ({{ definition.population }}), true) then null
        {%- endif %}
        {%- for segment in in_use %}
        when {{ segment.when }} then '{{ segment.name }}'
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
    case segment
        {%- for segment in definition.segments if segment.columns %}
        when '{{ segment.name }}' then {{ values_as_text(segment.columns) }}
        {%- do all_columns.extend(segment.columns) -%}
        {%- endfor %}
        else {{ values_as_text(all_columns | unique | list) }}
    end
{%- endmacro %}

{% macro values_as_text(columns) -%}
    {%- if columns -%}
    concat_ws(', '
        {%- for column in columns %}, concat('{{ column }} = ', coalesce(cast({{ column }} as {{ dbt.type_string() }}), 'unknown')){% endfor -%}
    )
    {%- else -%}
    ''
    {%- endif -%}
{%- endmacro %}

{#- The columns that a condition uses, in the order in which it does. -#}
{% macro columns_in(condition, columns) %}
    {%- set without_texts = modules.re.sub("'[^']*'", '', condition) -%}
    {%- set used = [] -%}
    {%- for word in modules.re.findall('[A-Za-z_][A-Za-z0-9_]*', without_texts) if word in columns and word not in used -%}
        {%- do used.append(word) -%}
    {%- endfor -%}
    {{ return(used) }}
{% endmacro %}
