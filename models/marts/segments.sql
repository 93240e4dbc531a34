{{ config(post_hook="{{ warn_of_deprecated_segments() }}") }}

-- depends_on: {{ ref('as_of_dates') }}
select
    segmentation,
    segment,
    label,
    label_ko,
    question,
    basis,
    assignment,
    condition,
    hypothesis,
    treatment_objective,
    treatment_channel,
    treatment_offer,
    owner,
    definition_version,
    left_out_because,
    replaced_by,
    position,
    segment_rank,
    min_share,
    max_share,
    deprecated_until
from {{ ref('segment_definitions') }}
-- as the variable `segmentations` has them; who reads the table as it is sees those that name themselves last
order by
    assignment = 'learned',
    case segmentation
        {%- for name in var('segmentations') %}
        when '{{ name }}' then {{ loop.index }}
        {%- endfor %}
    end,
    position
