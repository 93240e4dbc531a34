{#- The definitions in use, in the order in which `segmentations` names them; those left out whole are not among them. -#}
{% macro published_definitions() %}
    {%- set definitions = [] -%}
    {%- set mapped = {} -%}
    {%- for name in var('segmentations') if execute -%}
        {%- set definition = segmentation_definition(name, mapped) -%}
        {%- if segments_in_use(definition) -%}{%- do definitions.append(definition) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(definitions) }}
{% endmacro %}

{#- [(definition, segment, what the inputs lack for it)], for all segments that are defined. -#}
{% macro catalogue() %}
    {%- set rows = [] -%}
    {%- set mapped = {} -%}
    {%- for name in var('segmentations') if execute -%}
        {%- set definition = segmentation_definition(name, mapped) -%}
        {%- set whole = none if segments_in_use(definition) else definition.left_out.values() | first -%}
        {%- for segment in definition.segments -%}
            {%- do rows.append((
                definition,
                dict(segment, position=loop.index, treatment=segment.treatment or {}),
                definition.left_out.get(segment.name) or whole,
            )) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(rows) }}
{% endmacro %}

{#- What decides who is in which segment, for the record. -#}
{% macro written_definition(definition) %}
    {%- set segments = [] -%}
    {%- for segment in definition.segments if segment.name not in definition.left_out -%}
        {%- do segments.append({'name': segment.name, 'when': segment.when or none}) -%}
    {%- endfor -%}
    {{ return({
        'assignment': definition.assignment,
        'population': definition.population or none,
        'segments': segments,
        'otherwise': definition.otherwise or none,
    }) }}
{% endmacro %}

{#- A date that was the latest and is not a month end leaves the record when a later one is published. -#}
{% macro forget_open_dates() %}
delete from {{ this }}
where
    as_of_date <> {{ dbt.last_day('as_of_date', 'month') }}
    and as_of_date < (select max(as_of_date) from {{ ref('as_of_dates') }})
{% endmacro %}
