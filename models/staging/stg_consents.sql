{{ config(materialized='view') }}

select
    customer_id,
    channel,
    is_granted,
    changed_at,
    cast(changed_at as date) as changed_on
from {{ ref('checked_consents') }}
where reasons is null
