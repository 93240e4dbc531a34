with

customers as (
    select
        customer_id,
        as_of_date,
        cast(coalesce(expected_revenue_365d, 0) as decimal(18, 2)) as expected_revenue_365d,
        greatest(revenue_12m, 0) as revenue_12m
    from {{ ref('customers') }}
    where lifetime_orders > 0
),

{%- set values = ['expected_revenue_365d', 'revenue_12m'] %}

-- each value has its own order: from the customer who brings most to the one who brings least
{%- for value in values %}

{{ value }}_by_percent as (
    select
        as_of_date,
        percent_of_customers,
        sum(cast(sum({{ value }}) as double)) over (order by percent_of_customers)
        / nullif(sum(cast(sum({{ value }}) as double)) over (), 0) as share_of_{{ value }}
    from (
        select
            as_of_date,
            {{ value }},
            ceil(
                100.0 * row_number() over (order by {{ value }} desc, customer_id)
                / count(*) over ()
            ) as percent_of_customers
        from customers
    ) as ordered
    group by as_of_date, percent_of_customers
)
{{- ',' if not loop.last }}
{%- endfor %}

select
    expected.as_of_date,
    cast(expected.percent_of_customers as integer) as percent_of_customers,
    expected.share_of_expected_revenue_365d,
    present.share_of_revenue_12m
from expected_revenue_365d_by_percent as expected
inner join revenue_12m_by_percent as present on expected.percent_of_customers = present.percent_of_customers
