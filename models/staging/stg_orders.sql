{{ kept_by_customer(post_hook=["{{ check_losses('orders') }}"]) }}
{%- set mapped = mapped_columns('orders') %}
{%- set has_returns = has_input('returns') or is_told_by_orders('returns') %}
{%- set no_return = '0' if 'returned_amount' in mapped or 'status' in mapped or has_returns else 'null' %}

with

accepted as (
    {{ accepted_rows('orders', only_news=true) }}
),

read_again as (
    select * from accepted
    where true {{ and_read_again() }}
),

orders as (
    {{ orders_of_lines('read_again') if rows_are_lines() else 'select *, 1 as lines from read_again' }}
)
{%- if has_returns %},

-- what takes an order back by its number, day by day
taken_back as (
    select
        order_id,
        returned_on,
        amount,
        sum(amount) over (
            partition by order_id
            order by returned_on
        ) as amount_so_far
    from (
        select
            order_id,
            cast(returned_at as date) as returned_on,
            amount
        from ({{ accepted_rows('returns') }}) as returns
        union all
        select
            order_id,
            cast(ordered_at as date) as returned_on,
            abs(amount) as amount
        from orders
        where is_return
    ) as returns
    where order_id is not null
),

returned as (
    select
        orders.order_id,
        sum(taken_back.amount) as amount,
        min(case when taken_back.amount_so_far >= orders.amount then taken_back.returned_on end) as returned_whole_on
    from orders
    inner join taken_back on orders.order_id = taken_back.order_id
    where
        not orders.is_return
        and orders.amount > 0
    group by orders.order_id
)
{%- endif %},

known as (
    select
        orders.*,
        {{ 'returned.amount' if has_returns else 'cast(null as decimal(18, 4))' }} as amount_taken_back,
        {{ 'returned.returned_whole_on' if has_returns else 'cast(null as date)' }} as returned_whole_on
    from orders
    {%- if has_returns %}
    left join returned
        on orders.order_id = returned.order_id
        and not orders.is_return
    {%- endif %}
)

select
    order_id,
    customer_id,
    case when is_return then 'credit_note' else coalesce(status, 'completed') end as status,
    channel,
    case when is_return then abs(amount) else amount end as amount,
    coalesce(discount_amount, {{ default_of('orders', 'discount_amount') }}) as discount_amount,
    -- more than the order is paid back when shipping is too: the order is then worth nothing, never less
    case
        when status = 'returned' or returned_amount > amount then greatest(amount - coalesce(amount_taken_back, 0), 0)
        -- where only the status tells of returns, the other orders have none
        else coalesce(returned_amount, {{ no_return }})
    end as returned_amount,
    cost_amount,
    not is_return and coalesce(status, 'completed') <> 'cancelled' as is_counted,
    coalesce(
        status = 'returned'
        or (amount > 0 and returned_amount >= amount)
        or returned_whole_on is not null,
        false
    ) as is_fully_returned,
    cast(lines as integer) as lines,
    ordered_at,
    cast(ordered_at as date) as ordered_on,
    -- a return without a time of its own counts from the day of the order, and none counts before it
    cast(
        greatest(coalesce(returned_at, returned_whole_on, ordered_at), ordered_at) as date
    ) as returned_on
from known
-- so that whatever is summed by customer finds a customer's orders side by side
order by customer_id, ordered_at
