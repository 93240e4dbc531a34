{#- no consent on record means no contact; no record of consents at all means unknown -#}
{%- set no_consent = 'false' if has_input('consents') else 'cast(null as boolean)' -%}
{%- set channels = input_contract()['consents']['columns']['channel']['values'] -%}
with

customer_dates as (
    select * from {{ ref('customer_dates') }}
),

dated_consents as (
    select
        consents.*,
        calendar.known_on
    from {{ ref('stg_consents') }} as consents
    inner join {{ ref('calendar') }} as calendar on consents.changed_on = calendar.date_day
    where calendar.known_on is not null
),

states as (
    select
        customer_id,
        {%- for channel in channels %}
        max_by(is_granted, changed_at) filter (where channel = '{{ channel }}') as can_{{ channel }},
        {%- endfor %}
        known_on as as_of_date
    from dated_consents
    group by customer_id, known_on
),

accumulated as (
    select
        customer_dates.customer_id,
        {%- for channel in channels %}
        coalesce({{ last_known('states.can_' ~ channel, 'known') }}, {{ no_consent }}) as can_{{ channel }},
        {%- endfor %}
        customer_dates.as_of_date
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
    customer_id,
    as_of_date,
    {%- for channel in channels %}
    can_{{ channel }},
    {%- endfor %}
    {% for channel in channels %}can_{{ channel }}{{ ' or ' if not loop.last }}{% endfor %} as is_reachable
from accumulated
