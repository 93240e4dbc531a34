{{ config(materialized='view') }}
{%- set least_share = definition_language().segmentation.min_share.default %}
{%- set learned_texts = {
    'owner': 'owner',
    'treatment_objective': 'treatment.objective',
    'treatment_channel': 'treatment.channel',
    'treatment_offer': 'treatment.offer',
} %}
-- depends_on: {{ ref('cluster_names') }}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

{%- for definition, segment, left_out_because in catalogue() %}
select
    {{ as_text(definition.name) }} as segmentation,
    {{ as_text(segment.name) }} as segment,
    {{ as_text(definition.assignment) }} as assignment,
    {{ as_text(segment.owner or definition.owner) }} as owner,
    {{ as_text(segment.treatment.objective) }} as treatment_objective,
    {{ as_text(segment.treatment.channel) }} as treatment_channel,
    {{ as_text(segment.treatment.offer) }} as treatment_offer,
    coalesce({{ share_limit(definition, segment, 'min_share') }}, {{ least_share }}) as min_share,
    {{ share_limit(definition, segment, 'max_share') }} as max_share,
    {{ as_text(left_out_because) }} as left_out_because,
    cast({{ segment.position }} as integer) as position
union all
{%- endfor %}
{%- for definition in published_definitions() if definition.assignment == 'learned' %}
select
    {{ as_text(definition.name) }} as segmentation,
    cluster as segment,
    {{ as_text(definition.assignment) }} as assignment,
    {%- for column, key in learned_texts.items() %}
    {{ text_by_hand(definition, key, as_text(definition.owner) if key == 'owner' else 'cast(null as string)') }}
        as {{ column }},
    {%- endfor %}
    coalesce({{ learned_share_limit(definition, 'min_share') }}, {{ least_share }}) as min_share,
    {{ learned_share_limit(definition, 'max_share') }} as max_share,
    cast(null as string) as left_out_because,
    position
from {{ ref('cluster_names') }}
where is_in_use
union all
{%- endfor %}
select
    cast(null as string) as segmentation,
    cast(null as string) as segment,
    cast(null as string) as assignment,
    cast(null as string) as owner,
    cast(null as string) as treatment_objective,
    cast(null as string) as treatment_channel,
    cast(null as string) as treatment_offer,
    cast(null as double) as min_share,
    cast(null as double) as max_share,
    cast(null as string) as left_out_because,
    cast(null as integer) as position
where false
