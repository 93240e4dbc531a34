{{ config(materialized='view') }}

with

accepted as (
    {{ accepted_rows('events') }}
)

select
    event_id,
    customer_id,
    event_type,
    -- a visit ends at midnight, so that no as-of date cuts through one
    concat(
        cast(cast(occurred_at as date) as string), '|', coalesce(session_id, '')
    ) as visit_id,
    product_id,
    device,
    channel,
    occurred_at,
    cast(occurred_at as date) as occurred_on
from accepted
