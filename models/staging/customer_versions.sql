{%- set snapshot = ref('customers_snapshot') -%}
{#- `dbt run` takes up no versions: without any, history begins on the latest date -#}
{%- set has_snapshot = is_unit_test() or load_relation(snapshot) is not none -%}
{%- set reads_snapshot = has_snapshot and not is_customer_history_delivered() -%}
with

delivered as (
    select * from {{ ref('stg_customers') }}
),

taken_up as (
    select
        {%- if reads_snapshot %}
        customer_id,
        {%- for attribute in customer_attributes() %}
        {{ attribute }},
        {%- endfor %}
        dbt_valid_from as version_from,
        dbt_valid_to is null as is_current
    from {{ snapshot }}
        {%- else %}
        customer_id,
        {%- for attribute in customer_attributes() %}
        {{ attribute }},
        {%- endfor %}
        version_from,
        is_current
    from delivered
    where false
        {%- endif %}
),

versions as (
    -- what was taken up once holds since then, however often its row was written again
    select
        delivered.customer_id,
        {%- for attribute in customer_attributes() %}
        delivered.{{ attribute }},
        {%- endfor %}
        case
            when delivered.is_current
                then coalesce(
                    taken_up.version_from,
                    case
                        when cast(delivered.version_from as date) <= {{ latest_date() }} then delivered.version_from
                    end,
                    cast({{ latest_date() }} as timestamp)
                )
            else delivered.version_from
        end as valid_from,
        case when delivered.is_current then 2 else 1 end as place
    from delivered
    left join taken_up
        on delivered.customer_id = taken_up.customer_id
        and delivered.is_current
        and taken_up.is_current
    union all
    select
        taken_up.customer_id,
        {%- for attribute in customer_attributes() %}
        taken_up.{{ attribute }},
        {%- endfor %}
        taken_up.version_from as valid_from,
        0 as place
    from taken_up
    inner join delivered
        on taken_up.customer_id = delivered.customer_id
        and delivered.is_current
    where not taken_up.is_current
),

ended as (
    select
        *,
        lead(valid_from) over (partition by customer_id order by valid_from, place) as valid_until
    from versions
    where valid_from is not null
)

select
    customer_id,
    {%- for attribute in customer_attributes() %}
    {{ attribute }},
    {%- endfor %}
    valid_from,
    valid_until
from ended
-- of two that begin at the same time only the last holds
where coalesce(valid_until > valid_from, true)
