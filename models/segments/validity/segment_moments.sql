{%- set definitions = published_definitions() -%}

with

judged_customers as (
    select * from {{ ref('judged_customers') }}
    where outcome_window > 0
),

-- what a very large customer counts for: no more than the largest hundredth of those who ordered
caps as (
    select
        as_of_date,
        ceil(percentile_cont(0.99) within group (order by cast(orders as double))) as largest_orders,
        percentile_cont(0.99) within group (order by cast(revenue as double)) as largest_revenue
    from judged_customers
    where has_ordered
    group by as_of_date
),

-- as shares of the largest, with few digits, so that sums of their powers are exact
capped as (
    select
        judged_customers.as_of_date,
        judged_customers.outcome_window,
        {%- for definition in definitions %}
        judged_customers.{{ definition.name }},
        {%- endfor %}
        {%- for outcome in ['orders', 'revenue'] %}
        cast(
            coalesce(
                round(
                    greatest(
                        least(cast(judged_customers.{{ outcome }} as double), caps.largest_{{ outcome }}),
                        -caps.largest_{{ outcome }}
                    ) / nullif(caps.largest_{{ outcome }}, 0),
                    5
                ),
                0
            ) as decimal(7, 5)
        ) as capped_{{ outcome }},
        {%- endfor %}
        -- wide enough for squares
        cast(judged_customers.orders as decimal(19, 0)) as exact_orders,
        cast(judged_customers.revenue as decimal(19, 4)) as exact_revenue,
        case when judged_customers.has_ordered then 1 else 0 end as retained
    from judged_customers
    left join caps on judged_customers.as_of_date = caps.as_of_date
)

{%- for definition in definitions %}
select
    as_of_date,
    outcome_window,
    '{{ definition.name }}' as segmentation,
    {{ definition.name }} as label,
    {%- for capped in ['capped_orders', 'capped_revenue'] %}
    sum({{ capped }}) as {{ capped }}_1,
    sum({{ capped }} * {{ capped }}) as {{ capped }}_2,
    sum({{ capped }} * {{ capped }} * {{ capped }}) as {{ capped }}_3,
    sum({{ capped }} * {{ capped }} * {{ capped }} * {{ capped }}) as {{ capped }}_4,
    {%- endfor %}
    sum(exact_orders) as orders,
    sum(exact_orders * exact_orders) as orders_squared,
    sum(exact_revenue) as revenue,
    sum(exact_revenue * exact_revenue) as revenue_squared,
    sum(retained) as retained,
    count(*) as customers
from capped
where {{ definition.name }} is not null
group by as_of_date, outcome_window, {{ definition.name }}
union all
{%- endfor %}
select
    cast(null as date) as as_of_date,
    cast(null as integer) as outcome_window,
    cast(null as string) as segmentation,
    cast(null as string) as label,
    {%- for capped in ['capped_orders', 'capped_revenue'] %}
    cast(null as decimal(38, 5)) as {{ capped }}_1,
    cast(null as decimal(38, 10)) as {{ capped }}_2,
    cast(null as decimal(38, 15)) as {{ capped }}_3,
    cast(null as decimal(38, 20)) as {{ capped }}_4,
    {%- endfor %}
    cast(null as decimal(38, 0)) as orders,
    cast(null as decimal(38, 0)) as orders_squared,
    cast(null as decimal(38, 4)) as revenue,
    cast(null as decimal(38, 8)) as revenue_squared,
    cast(null as bigint) as retained,
    cast(null as bigint) as customers
where false
