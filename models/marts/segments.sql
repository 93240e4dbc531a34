{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

{% for definition, segment, left_out_because in catalogue() %}
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
    {{ as_text(segment.treatment.objective) }} as treatment_objective,
    {{ as_text(segment.treatment.channel) }} as treatment_channel,
    {{ as_text(segment.treatment.offer) }} as treatment_offer,
    {{ as_text(segment.owner or definition.owner) }} as owner,
    {{ as_text(definition.version) }} as definition_version,
    {{ as_text(left_out_because) }} as left_out_because,
    cast({{ segment.position }} as integer) as position,
    cast({{ segment.rank if segment.rank is defined else 'null' }} as integer) as segment_rank
{{ 'union all' if not loop.last }}
{%- endfor %}
