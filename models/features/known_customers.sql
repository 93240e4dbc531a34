with

first_seen as (
    {%- for model, day in {
        'stg_orders': 'ordered_on',
        'stg_returns': 'returned_on',
        'visits': 'occurred_on',
        'stg_consents': 'changed_on',
        'stg_customers': 'created_on',
    }.items() %}
    select
        customer_id,
        min({{ day }}) as known_from
    from {{ ref(model) }}
    where customer_id is not null
    group by customer_id
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    customer_id,
    min(known_from) as known_from
from first_seen
group by customer_id
