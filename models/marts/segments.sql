{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

{% set rows = [] -%}
{%- for name in var('segmentations') if execute -%}
    {%- set definition = segmentation_definition(name) -%}
    {%- for segment in definition.segments -%}
        {%- do rows.append((definition, segment, loop.index)) -%}
    {%- endfor -%}
{%- endfor -%}
{%- for definition, segment, position in rows %}
{%- set treatment = segment.treatment or {} -%}
{%- set left_out_because = definition.left_out.get(segment.name) or (none if segments_in_use(definition) else definition.left_out.values() | first) %}
select
    {{ as_text(definition.name) }} as segmentation,
    {{ as_text(segment.name) }} as segment,
    {{ as_text(segment.label.en) }} as label,
    {{ as_text(segment.label.ko) }} as label_ko,
    {{ as_text(definition.question) }} as question,
    {{ as_text(definition.basis) }} as basis,
    {{ as_text(definition.assignment) }} as assignment,
    {{ as_text(segment.when or 'otherwise') }} as condition,
    {{ as_text(segment.hypothesis) }} as hypothesis,
    {{ as_text(treatment.objective) }} as treatment_objective,
    {{ as_text(treatment.channel) }} as treatment_channel,
    {{ as_text(treatment.offer) }} as treatment_offer,
    {{ as_text(segment.owner or definition.owner) }} as owner,
    {{ as_text(definition.version) }} as definition_version,
    {{ as_text(left_out_because) }} as left_out_because,
    cast({{ position }} as integer) as position,
    cast({{ segment.rank if segment.rank is defined else 'null' }} as integer) as segment_rank
{{ 'union all' if not loop.last }}
{%- endfor %}
