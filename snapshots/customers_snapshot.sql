{#-
  Where an input has no history, it begins with the first build: a version is taken up on the day that its row says, or on
  the latest date. A clock is not asked, and who is no longer delivered stays as last known.
-#}
{% snapshot customers_snapshot %}
{{
    config(
        schema='staging',
        unique_key='customer_id',
        strategy='check',
        check_cols=customer_attributes(),
        updated_at='taken_up_at',
    )
}}

select
    customer_id,
    {%- for attribute in customer_attributes() %}
    {{ attribute }},
    {%- endfor %}
    coalesce(
        case when cast(version_from as date) <= {{ latest_date() }} then version_from end,
        cast({{ latest_date() }} as timestamp)
    ) as taken_up_at
from {{ ref('stg_customers') }}
where
    is_current
    and {{ not is_customer_history_delivered() }}

{% endsnapshot %}
