{%- set criteria = [
    'measurable',
    'substantial_customers',
    'substantial_revenue',
    'few_enough',
    'reachable',
    'selective',
    'actionable',
    'differentiable_orders',
    'differentiable_revenue',
    'differentiable_retention',
    'distinct',
    'stable',
    'redundant',
] %}
with

judgements as (
    select * from {{ ref('segment_judgements') }}
),

segments as (
    select * from {{ ref('segments') }}
)

select
    judgements.segmentation,
    judgements.segment,
    judgements.criterion,
    judgements.measure,
    cast(judgements.as_of_date as date) as as_of_date,
    cast(judgements.customers as integer) as customers,
    judgements.value,
    judgements.lower,
    judgements.upper,
    judgements.threshold,
    judgements.verdict,
    judgements.mistake,
    judgements.note,
    segments.label,
    cast(case judgements.criterion
        {%- for criterion in criteria %}
        when '{{ criterion }}' then {{ loop.index }}
        {%- endfor %}
    end as integer) as criterion_position,
    -- the segmentation itself stands first
    coalesce(segments.position, 0) as position
from judgements
left join segments
    on judgements.segmentation = segments.segmentation
    and judgements.segment = segments.segment
