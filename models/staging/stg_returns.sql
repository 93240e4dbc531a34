{{ config(post_hook="{{ check_losses('returns') }}") }}
{%- set unknown_cost = '0' if 'cost_amount' in mapped_columns('orders') else 'null' %}

with

orders as (
    select * from {{ ref('stg_orders') }}
),

returned as (
    select
        return_id,
        order_id,
        customer_id,
        product_id,
        'returns' as told_by,
        amount,
        cast(returned_at as date) as returned_on
    from ({{ accepted_rows('returns') }}) as delivered
    union all
    select
        cast(null as string) as return_id,
        order_id,
        customer_id,
        cast(null as string) as product_id,
        'credit_note' as told_by,
        amount,
        ordered_on as returned_on
    from orders
    where status = 'credit_note'
)

-- an order that is there says whose return it is, and none counts before its order
select
    returned.return_id,
    returned.order_id,
    coalesce(orders.customer_id, returned.customer_id) as customer_id,
    returned.product_id,
    returned.told_by,
    returned.amount,
    -- the goods are worth again what they cost; of an order that is not there nobody knows
    case
        when orders.order_id is null then {{ unknown_cost }}
        else orders.cost_amount * least(cast(returned.amount as double) / nullif(orders.amount, 0), 1.0)
    end as cost_amount,
    -- what was never sold can't be returned
    coalesce(orders.is_counted, true) as is_counted,
    greatest(returned.returned_on, coalesce(orders.ordered_on, returned.returned_on)) as returned_on
from returned
left join orders
    on returned.order_id = orders.order_id
    and orders.status <> 'credit_note'
union all
select
    cast(null as string) as return_id,
    order_id,
    customer_id,
    cast(null as string) as product_id,
    'order' as told_by,
    returned_amount as amount,
    cost_amount * coalesce(cast(returned_amount as double) / nullif(amount, 0), 1.0) as cost_amount,
    is_counted,
    returned_on
from orders
where
    is_counted
    and (returned_amount > 0 or (is_fully_returned and amount = 0))
