{%- set least_share = definition_language().segmentation.min_share.default -%}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

with

named as (
    select
        fitted_on,
        cluster_id,
        max(case when metric = 'name_en' then note end) as label,
        max(case when metric = 'name_ko' then note end) as label_ko,
        max(case when metric = 'condition' then note end) as rule
    from {{ ref('fit_clusters') }}
    where cluster_id > 0
    group by fitted_on, cluster_id
),

-- a cluster that no later fit has found again keeps its last name
clusters as (
    select
        *,
        concat('cluster_', cast(cluster_id as string)) as cluster,
        fitted_on = max(fitted_on) over () as is_in_use
    from named
    qualify row_number() over (partition by cluster_id order by fitted_on desc) = 1
),

segments as (
    {%- for definition, segment, left_out_because in catalogue() %}
    select
        {{ as_text(definition.name) }} as segmentation,
        {{ as_text(segment.name) }} as segment,
        {{ as_text(segment.label.en) }} as label,
        {{ as_text(segment.label.ko) }} as label_ko,
        {{ as_text(definition.question) }} as question,
        {{ as_text(definition.basis) }} as basis,
        {{ as_text(definition.assignment) }} as assignment,
        {{ as_text(definition.population or none) }} as population,
        {{ as_text(segment.when or 'otherwise') }} as condition,
        {{ as_text(segment.hypothesis) }} as hypothesis,
        {{ as_text(segment.treatment.objective) }} as treatment_objective,
        {{ as_text(segment.treatment.channel) }} as treatment_channel,
        {{ as_text(segment.treatment.offer) }} as treatment_offer,
        {{ as_text(segment.owner or definition.owner) }} as owner,
        {{ as_text(definition.version) }} as definition_version,
        {{ as_text(left_out_because) }} as left_out_because,
        {{ as_text((segment.deprecated or {}).use) }} as replaced_by,
        cast({{ segment.position }} as integer) as position,
        cast({{ segment.rank if segment.rank is defined else 'null' }} as integer) as segment_rank,
        {{ share_limit(definition, segment, 'min_share') }} as min_share,
        {{ share_limit(definition, segment, 'max_share') }} as max_share,
        cast({{ as_text((segment.deprecated or {}).ends_on) }} as date) as deprecated_until
    union all
    {%- endfor %}
    {%- for definition in published_definitions() if definition.assignment == 'learned' %}
    -- learned segments name themselves, unless the definition names them better
    select
        {{ as_text(definition.name) }} as segmentation,
        cluster as segment,
        {{ text_by_hand(definition, 'label.en', 'label') }} as label,
        {{ text_by_hand(definition, 'label.ko', 'label_ko') }} as label_ko,
        {{ as_text(definition.question) }} as question,
        {{ as_text(definition.basis) }} as basis,
        {{ as_text(definition.assignment) }} as assignment,
        {{ as_text(definition.population or none) }} as population,
        concat('learned; about: ', rule) as condition,
        {{ text_by_hand(definition, 'hypothesis') }} as hypothesis,
        {{ text_by_hand(definition, 'treatment.objective') }} as treatment_objective,
        {{ text_by_hand(definition, 'treatment.channel') }} as treatment_channel,
        {{ text_by_hand(definition, 'treatment.offer') }} as treatment_offer,
        {{ text_by_hand(definition, 'owner', as_text(definition.owner)) }} as owner,
        {{ as_text(definition.version) }} as definition_version,
        case
            when not is_in_use then concat('not found again since ', cast(fitted_on as string))
        end as left_out_because,
        cast(null as string) as replaced_by,
        cast(cluster_id as integer) as position,
        cast(null as integer) as segment_rank,
        {{ learned_share_limit(definition, 'min_share') }} as min_share,
        {{ learned_share_limit(definition, 'max_share') }} as max_share,
        cast(null as date) as deprecated_until
    from clusters
    union all
    {%- endfor %}
    select
        cast(null as string) as segmentation,
        cast(null as string) as segment,
        cast(null as string) as label,
        cast(null as string) as label_ko,
        cast(null as string) as question,
        cast(null as string) as basis,
        cast(null as string) as assignment,
        cast(null as string) as population,
        cast(null as string) as condition,
        cast(null as string) as hypothesis,
        cast(null as string) as treatment_objective,
        cast(null as string) as treatment_channel,
        cast(null as string) as treatment_offer,
        cast(null as string) as owner,
        cast(null as string) as definition_version,
        cast(null as string) as left_out_because,
        cast(null as string) as replaced_by,
        cast(null as integer) as position,
        cast(null as integer) as segment_rank,
        cast(null as double) as min_share,
        cast(null as double) as max_share,
        cast(null as date) as deprecated_until
    where false
)

select
    *,
    coalesce(min_share, {{ least_share }}) as least_share
from segments
