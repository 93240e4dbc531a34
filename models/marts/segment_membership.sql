{{ config(materialized='view') }}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

with

membership as (
    {{ memberships() | indent(4) }}
),

publications as (
    select * from {{ ref('publications') }}
),

-- for the latest date, where the values that decided are still at hand
evidence as (
    select
        cast(null as string) as customer_id,
        cast(null as date) as as_of_date,
        cast(null as string) as segmentation,
        cast(null as string) as segment,
        cast(null as string) as evidence
    where false
    {%- for name in var('segmentations') %}
    union all
    select
        segments.customer_id,
        segments.as_of_date,
        '{{ name }}' as segmentation,
        segments.segment,
        segments.evidence
    from (
        {{ segment_members(segmentation_definition(name), ref('latest_features')) | indent(8) }}
    ) as segments
    {%- endfor %}
)

select
    membership.customer_id,
    membership.as_of_date,
    membership.segmentation,
    membership.segment,
    publications.definition_version,
    evidence.evidence
from membership
inner join publications
    on membership.as_of_date = publications.as_of_date
    and membership.segmentation = publications.segmentation
left join evidence
    on membership.customer_id = evidence.customer_id
    and membership.as_of_date = evidence.as_of_date
    and membership.segmentation = evidence.segmentation
    and membership.segment = evidence.segment
