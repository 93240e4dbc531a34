{{ config(materialized='each_date', unique_key='as_of_date') }}
{#- no consent on record means no contact; no record of consents at all means unknown -#}
{%- set no_consent = 'false' if has_input('consents') else 'cast(null as boolean)' -%}
{%- set channels = input_contract()['consents']['columns']['channel']['values'] -%}
with

customer_dates as (
    select * from {{ ref('customer_dates') }}
    where {{ at_dates() }}
),

last_words as (
    select
        customer_dates.customer_id,
        {%- for channel in channels %}
        max_by(consents.is_granted, consents.changed_at) filter (
            where consents.channel = '{{ channel }}'
        ) as can_{{ channel }},
        {%- endfor %}
        customer_dates.as_of_date
    from {{ ref('stg_consents') }} as consents
    inner join customer_dates
        on consents.customer_id = customer_dates.customer_id
        and consents.changed_on <= customer_dates.as_of_date
    group by customer_dates.customer_id, customer_dates.as_of_date
),

permissions as (
    select
        customer_dates.customer_id,
        {%- for channel in channels %}
        coalesce(last_words.can_{{ channel }}, {{ no_consent }}) as can_{{ channel }},
        {%- endfor %}
        customer_dates.as_of_date
    from customer_dates
    left join last_words
        on customer_dates.customer_id = last_words.customer_id
        and customer_dates.as_of_date = last_words.as_of_date
)

select
    customer_id,
    as_of_date,
    {%- for channel in channels %}
    can_{{ channel }},
    {%- endfor %}
    {% for channel in channels %}can_{{ channel }}{{ ' or ' if not loop.last }}{% endfor %} as is_reachable
from permissions
