{{ kept_by_customer() }}
{%- set facts = {
    'order_days': ['date_day', ['orders_placed', 'orders', 'revenue', 'margin', 'discount_amount', 'last_ordered_at']],
    'category_months': ['order_month', ['category', 'amount', 'quantity', 'grown_on']],
    'visits': ['occurred_on', ['visit_id', 'device', 'events', 'views', 'searches', 'last_cart_at', 'last_bought_at']],
} -%}
with

facts as (
    {%- for model, (day, columns) in facts.items() %}
    select
        customer_id,
        {{ day }} as date_day,
        {{ row_hash([day] + columns) }} as row_hash,
        {{ 'revenue' if model == 'order_days' else 'cast(null as decimal(18, 4))' }} as revenue
    from {{ ref(model) }}
    where customer_id is not null {{ and_read_again() }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- a return may lie after the latest date: it counts from its own day on
days as (
    select
        facts.date_day,
        coalesce(min(as_of_dates.as_of_date), facts.date_day) as period_end
    from (select distinct date_day from facts) as facts
    left join {{ ref('as_of_dates') }} as as_of_dates on facts.date_day <= as_of_dates.as_of_date
    group by facts.date_day
)

select
    facts.customer_id,
    days.period_end,
    cast(sum(facts.row_hash) as {{ dbt.type_bigint() }}) as history_hash,
    sum(facts.revenue) as revenue
from facts
inner join days on facts.date_day = days.date_day
group by facts.customer_id, days.period_end
order by facts.customer_id, days.period_end
