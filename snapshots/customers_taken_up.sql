{#- Where an input has no history, it begins with the first build. A clock is not asked. -#}
{% snapshot customers_taken_up %}
{{
    config(
        schema='staging',
        unique_key='customer_id',
        strategy='check',
        check_cols=customer_attributes(),
        updated_at='holds_from',
    )
}}

select
    customer_id,
    {%- for attribute in customer_attributes() %}
    {{ attribute }},
    {%- endfor %}
    holds_from
from {{ ref('stg_customers') }}
where
    is_current
    and {{ not is_customer_history_delivered() }}

{% endsnapshot %}
