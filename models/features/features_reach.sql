{%- set channels = input_contract()['consents']['columns']['channel']['values'] -%}
with

customer_dates as (
    select * from {{ ref('customer_dates') }}
),

states as (
    select
        consents.customer_id,
        calendar.known_on as as_of_date
        {%- for channel in channels %},
        max_by(consents.is_granted, consents.changed_at) filter (where consents.channel = '{{ channel }}') as can_{{ channel }}
        {%- endfor %}
    from {{ ref('stg_consents') }} as consents
    inner join {{ ref('calendar') }} as calendar on consents.changed_on = calendar.date_day
    where calendar.known_on is not null
    group by consents.customer_id, calendar.known_on
),

-- no consent on record means no contact; no record of consents at all means unknown
accumulated as (
    select
        customer_dates.customer_id,
        customer_dates.as_of_date
        {%- for channel in channels %},
        {% if has_input('consents') -%}
        coalesce({{ last_known('states.can_' ~ channel, 'known') }}, false) as can_{{ channel }}
        {%- else -%}
        cast(null as boolean) as can_{{ channel }}
        {%- endif %}
        {%- endfor %}
    from customer_dates
    left join states
        on customer_dates.customer_id = states.customer_id
        and customer_dates.as_of_date = states.as_of_date
    window known as (
        partition by customer_dates.customer_id
        order by customer_dates.as_of_date
        rows between unbounded preceding and current row
    )
)

select
    *,
    {% for channel in channels %}can_{{ channel }}{{ ' or ' if not loop.last }}{% endfor %} as is_reachable
from accumulated
