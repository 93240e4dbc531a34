{{ kept_by_customer(post_hook=["{{ check_losses('orders') }}"]) }}
{%- set mapped = mapped_columns('orders') %}
{%- set no_return = '0' if 'returned_amount' in mapped or 'status' in mapped else 'null' %}

with

accepted as (
    {{ accepted_rows('orders', only_news=true) }}
)

select
    order_id,
    customer_id,
    coalesce(status, 'completed') as status,
    channel,
    amount,
    coalesce(discount_amount, {{ default_of('orders', 'discount_amount') }}) as discount_amount,
    -- more than the order is paid back when shipping is too: the order is then worth nothing, never less
    case
        when status = 'returned' or returned_amount > amount then amount
        -- where only the status tells of returns, the other orders have none
        else coalesce(returned_amount, {{ no_return }})
    end as returned_amount,
    cost_amount,
    coalesce(status, 'completed') <> 'cancelled' as is_counted,
    coalesce(status = 'returned' or (amount > 0 and returned_amount >= amount), false) as is_fully_returned,
    ordered_at,
    cast(ordered_at as date) as ordered_on,
    -- a return without a time of its own counts from the day of the order, and none counts before it
    cast(greatest(coalesce(returned_at, ordered_at), ordered_at) as date) as returned_on
from accepted
where true {{ and_read_again() }}
-- so that whatever is summed by customer finds a customer's orders side by side
order by customer_id, ordered_at
