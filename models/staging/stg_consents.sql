{{ config(post_hook="{{ check_losses('consents') }}") }}

with

accepted as (
    {{ accepted_rows('consents') }}
)

select
    customer_id,
    channel,
    is_granted,
    changed_at,
    cast(changed_at as date) as changed_on
from accepted
