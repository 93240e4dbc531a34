{#- a segmentation that the contract has a column for fills it; the rest stand together in other_segments -#}
{%- set in_use = published_definitions() | map(attribute='name') | list -%}
{%- set own_column = [
    'rfm',
    'lifecycle',
    'loyalty_tier',
    'value_potential',
    'cluster',
    'behaviour',
    'demographic',
    'geographic',
    'customer_kind',
] -%}
{%- set others = in_use | reject('in', own_column) | list %}

with

features as (
    select * from {{ ref('latest_features') }}
),

published as (
    select * from {{ ref('segment_history') }}
    where as_of_date = {{ latest_date() }}
),

core as (
    select * from {{ ref('core_customers') }}
),

valued as (
    select count(*) as customers from core
),

-- what moved the next-order score, as of the latest date
reasons as (
    select * from {{ ref('next_order_reasons') }}
)

select
    features.customer_id,
    features.as_of_date,
    {%- for name in own_column %}
    {{ 'published.' ~ name if name in in_use else 'cast(null as string)' }} as {{ name }},
    {%- endfor %}
    nullif(concat_ws(
        ', ',
        cast(null as string)
        {%- for name in others %},
        '{{ name }}: ' || published.{{ name }}
    {%- endfor %}
    ), '') as other_segments,
    features.kind,
    features.age_band,
    features.gender,
    features.marital_status,
    features.income_band,
    features.industry,
    features.country,
    features.region,
    features.city,
    features.city_size,
    features.favourite_category,
    features.favourite_channel,
    features.favourite_device,
    features.favourite_weekday,
    features.favourite_daypart,
    features.age_years,
    features.household_size,
    features.children,
    features.employees,
    features.recency_score,
    features.frequency_score,
    features.monetary_score,
    coalesce(features.lifetime_orders, 0) as lifetime_orders,
    coalesce(features.orders_12m, 0) as orders_12m,
    features.days_since_first_order,
    features.days_since_last_order,
    features.interpurchase_days_median,
    features.interpurchase_variation,
    features.expected_interpurchase_days,
    features.overdue_ratio,
    cast(coalesce(features.lifetime_revenue, 0) as decimal(18, 2)) as lifetime_revenue,
    cast(coalesce(features.revenue_12m, 0) as decimal(18, 2)) as revenue_12m,
    cast(features.lifetime_margin as decimal(18, 2)) as lifetime_margin,
    cast(features.margin_12m as decimal(18, 2)) as margin_12m,
    features.average_order_value,
    features.price_level,
    features.discount_share,
    features.return_share,
    features.favourite_category_share,
    features.category_breadth,
    features.visits_90d,
    features.view_to_order_conversion_90d,
    features.days_since_last_visit,
    features.days_since_cart_left,
    features.expected_revenue_score,
    features.expected_orders_90d,
    features.expected_orders_365d,
    features.expected_order_value,
    cast(features.expected_revenue_90d as decimal(18, 2)) as expected_revenue_90d,
    cast(features.expected_revenue_365d as decimal(18, 2)) as expected_revenue_365d,
    cast(features.expected_margin_365d as decimal(18, 2)) as expected_margin_365d,
    cast(features.lifetime_value as decimal(18, 2)) as lifetime_value,
    features.lifetime_value_days,
    features.lifetime_value_basis,
    features.expected_orders_basis,
    features.expected_revenue_basis,
    features.churn_probability,
    features.churn_days,
    features.churn_basis,
    features.next_order_probability,
    features.next_order_days,
    features.next_order_basis,
    case when features.next_order_basis like 'learned%' then reasons.reason_1 end as next_order_reason_1,
    case when features.next_order_basis like 'learned%' then reasons.reason_2 end as next_order_reason_2,
    case when features.next_order_basis like 'learned%' then reasons.reason_3 end as next_order_reason_3,
    case
        when core.customer_id is not null then core.is_core
        -- of whom nothing is expected is not core, where anything is expected of others
        when valued.customers > 0 then false
    end as is_core,
    features.is_active,
    features.can_email,
    features.can_sms,
    features.can_push,
    features.can_messenger,
    features.can_phone,
    features.can_post,
    features.is_reachable,
    features.first_order_on,
    features.last_order_on
from features
left join published
    on features.customer_id = published.customer_id
    and features.as_of_date = published.as_of_date
cross join valued
left join core on features.customer_id = core.customer_id
left join reasons
    on features.customer_id = reasons.customer_id
    and features.as_of_date = reasons.as_of_date
