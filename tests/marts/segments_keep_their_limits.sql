{{ config(severity='warn') }}

{%- set outside %}
with

segments as (
    select * from {{ ref('segments') }}
    where left_out_because is null
),

profiles as (
    select * from {{ ref('segment_profiles') }}
),

shares as (
    select
        segments.segmentation,
        segments.segment,
        coalesce(profiles.share_of_customers, 0) as share_of_customers,
        segments.min_share,
        segments.max_share
    from segments
    left join profiles
        on segments.segmentation = profiles.segmentation
        and segments.segment = profiles.segment
)

select
    segmentation,
    segment,
    share_of_customers,
    min_share,
    max_share
from shares
where
    share_of_customers < min_share
    or share_of_customers > max_share
{%- endset %}
{%- do warn_of_broken_limits(outside) if execute and flags.WHICH in ('build', 'test') %}
{{ outside }}
