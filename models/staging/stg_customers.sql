{{ config(post_hook="{{ check_losses('customers') }}") }}
{%- set version = version_column('customers') %}

with

accepted as (
    {{ accepted_rows('customers') }}
),

versions as (
    select
        *,
        cast({{ version or 'null' }} as timestamp) as version_from
    from accepted
),

-- the last version that has begun; a row that was changed after the latest date only where there is no other
ordered as (
    select
        *,
        {%- if version %}
        row_number() over (
            partition by customer_id
            order by
                coalesce(cast(version_from as date) <= {{ latest_date() }}, true) desc,
                version_from desc nulls last
        ) = 1
        and coalesce(cast(valid_from as date) <= {{ latest_date() }}, true) as is_current
        {%- else %}
        true as is_current
        {%- endif %}
    from versions
)

select
    customer_id,
    {%- for attribute in customer_attributes() %}
    {{ attribute }},
    {%- endfor %}
    created_at,
    cast(created_at as date) as created_on,
    -- what is delivered is known on the latest date, whenever it was written; without a date it is the oldest
    case
        when is_current and coalesce(cast(version_from as date) > {{ latest_date() }}, true)
            then cast({{ latest_date() }} as timestamp)
        else coalesce(version_from, cast('0001-01-01' as timestamp))
    end as holds_from,
    is_current
from ordered
