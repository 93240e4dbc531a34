{%- set attributes = customer_attributes() -%}
{%- set snapshot = ref('customers_taken_up') -%}
{#- there is none before the first `dbt build`: `dbt run` leaves snapshots out -#}
{%- set has_snapshot = is_unit_test() or load_relation(snapshot) is not none -%}
{%- set reads_snapshot = has_snapshot and not is_customer_history_delivered() -%}
with

delivered as (
    select * from {{ ref('stg_customers') }}
),

versions as (
    select
        customer_id,
        {{ attributes | join(', ') }},
        holds_from,
        case when is_current then 2 else 1 end as place
    from delivered
    {%- if reads_snapshot %}
    union all
    -- what earlier deliveries said, of those who are still delivered, and before what is said now
    select
        taken_up.customer_id,
        {%- for attribute in attributes %}
        taken_up.{{ attribute }},
        {%- endfor %}
        taken_up.dbt_valid_from as holds_from,
        0 as place
    from {{ snapshot }} as taken_up
    inner join delivered on taken_up.customer_id = delivered.customer_id
    where
        delivered.is_current
        and taken_up.dbt_valid_from < delivered.holds_from
        -- what was corrected before a day was over never held
        and coalesce(taken_up.dbt_valid_to > taken_up.dbt_valid_from, true)
    {%- endif %}
),

said as (
    select
        *,
        {{ key_hash(attributes) }} as said,
        lag({{ key_hash(attributes) }}) over (partition by customer_id order by holds_from, place) as said_before
    from versions
),

-- a row that was written again without saying anything new is no version
ended as (
    select
        *,
        lead(holds_from) over (partition by customer_id order by holds_from, place) as holds_until
    from said
    where said_before is null or said <> said_before
)

select
    customer_id,
    {{ attributes | join(', ') }},
    holds_from as valid_from,
    holds_until as valid_until
from ended
-- of two that begin at the same time the one that is delivered holds
where coalesce(holds_until > holds_from, true)
