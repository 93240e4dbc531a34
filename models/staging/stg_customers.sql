{{ config(post_hook="{{ check_losses('customers') }}") }}

with

accepted as (
    {{ accepted_rows('customers') }}
),

versions as (
    select
        *,
        cast({{ version_column('customers') or 'null' }} as timestamp) as version_from
    from accepted
)

select
    customer_id,
    {%- for attribute in customer_attributes() %}
    {{ attribute }},
    {%- endfor %}
    created_at,
    cast(created_at as date) as created_on,
    version_from,
    -- a row that was changed after the latest date says what is known now; one that is valid later does not yet
    {%- if version_column('customers') %}
    row_number() over (
        partition by customer_id
        order by
            coalesce(cast(valid_from as date) <= {{ latest_date() }}, true) desc,
            version_from desc nulls last
    ) = 1
    and coalesce(cast(valid_from as date) <= {{ latest_date() }}, true) as is_current
    {%- else %}
    true as is_current
    {%- endif %}
from versions
