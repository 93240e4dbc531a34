-- what the package calls an order: column names of its contract, so that the mapping needs none
select
    job_no as order_id,
    rider as customer_id,
    brought_in_on as ordered_at,
    paid as amount,
    case when was_cancelled then 'cancelled' else 'completed' end as status
from {{ ref('jobs') }}
