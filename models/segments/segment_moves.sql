{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='as_of_date',
        on_schema_change='append_new_columns',
        post_hook="{{ forget_open_dates() }}",
    )
}}
{%- set definitions = published_definitions() %}

with

-- dates that are no longer looked at keep the rows that they had, and so does the first one, whose before has gone
date_pairs as (
    select
        as_of_date,
        previous_as_of_date
    from {{ ref('as_of_dates') }}
    {%- if is_incremental() %}
    where
        previous_as_of_date is not null
        or as_of_date not in (select recorded.as_of_date from {{ this }} as recorded)
    {%- endif %}
),

versions as (
    select
        as_of_date,
        segmentation,
        definition_version,
        lag(definition_version) over (partition by segmentation order by as_of_date) as previous_definition_version,
        lag(as_of_date) over (partition by segmentation order by as_of_date) as previous_published_on
    from {{ ref('publications') }}
),

published as (
    select
        segments.*,
        features.lifetime_orders,
        features.lifetime_revenue,
        features.revenue_12m,
        features.last_order_on,
        features.is_active,
        features.expected_revenue_365d,
        features.lifetime_value,
        features.churn_probability,
        features.next_order_probability
    from {{ ref('published_segments') }} as segments
    left join {{ ref('customer_features') }} as features
        on segments.customer_id = features.customer_id
        and segments.as_of_date = features.as_of_date
),

now as (
    select
        published.*,
        date_pairs.previous_as_of_date
    from published
    inner join date_pairs on published.as_of_date = date_pairs.as_of_date
),

before as (
    select
        published.*,
        date_pairs.as_of_date as next_as_of_date
    from published
    inner join date_pairs on published.as_of_date = date_pairs.previous_as_of_date
),

-- a customer whose data was deleted in between is in `before` alone
changes as (
    select
        coalesce(now.as_of_date, before.next_as_of_date) as as_of_date,
        {%- for definition in definitions %}
        before.{{ definition.name }} as {{ definition.name }}_before,
        now.{{ definition.name }},
        {%- endfor %}
        before.customer_id is not null as was_known,
        now.customer_id is not null as is_known,
        now.moved_by_rule,
        coalesce(now.lifetime_orders - coalesce(before.lifetime_orders, 0), 0) as orders,
        coalesce(now.lifetime_revenue - coalesce(before.lifetime_revenue, 0), 0) as revenue,
        coalesce(now.revenue_12m, before.revenue_12m, 0) as revenue_12m,
        cast(now.expected_revenue_365d as decimal(18, 4)) as expected_revenue_365d,
        cast(now.lifetime_value as decimal(18, 4)) as lifetime_value,
        cast(now.churn_probability as decimal(18, 9)) as churn_probability,
        cast(now.next_order_probability as decimal(18, 9)) as next_order_probability,
        case when now.last_order_on > now.previous_as_of_date then 1 else 0 end as is_buyer,
        case
            when now.last_order_on > now.previous_as_of_date and now.lifetime_orders > 1 then 1
            else 0
        end as is_repeat_buyer,
        case when before.is_active and not coalesce(now.is_active, false) then 1 else 0 end as is_churned,
        case when not before.is_active and now.is_active then 1 else 0 end as is_won_back
    from now
    full outer join before
        on now.customer_id = before.customer_id
        and now.as_of_date = before.next_as_of_date
),

moves as (
    select
        as_of_date,
        '(all)' as segmentation,
        case when was_known then '(all)' end as from_segment,
        case when is_known then '(all)' end as to_segment,
        'none' as rule,
        {{ move_measures() }}
    from changes
    group by 1, 2, 3, 4, 5
    {%- for definition in definitions %}
    {%- for pair in move_pairs(definition) %}
    union all
    select
        as_of_date,
        '{{ definition.name }}' as segmentation,
        {{ pair.before }} as from_segment,
        {{ pair.now }} as to_segment,
        case
            when {{ contains_part('moved_by_rule', pair.rule ~ ':definition') }} then 'definition'
            when {{ contains_part('moved_by_rule', pair.rule ~ ':refit') }} then 'refit'
            else 'none'
        end as rule,
        {{ move_measures() }}
    from changes
    where coalesce({{ pair.before }}, {{ pair.now }}) is not null
    group by 1, 2, 3, 4, 5
    {%- endfor %}
    {%- endfor %}
)

select
    moves.as_of_date,
    -- nobody moves into a segmentation that was not published the date before
    case
        when moves.segmentation = '(all)' or versions.previous_published_on = date_pairs.previous_as_of_date
            then date_pairs.previous_as_of_date
    end as previous_as_of_date,
    moves.segmentation,
    moves.from_segment,
    moves.to_segment,
    case
        when moves.from_segment = moves.to_segment then 'none'
        when moves.rule = 'refit' then 'refit'
        -- where the definition is the same, late rows have changed what was known of the customer
        when moves.rule = 'definition' and versions.definition_version <> versions.previous_definition_version
            then 'definition'
        else 'customer'
    end as cause,
    sum(moves.customers) as customers,
    sum(moves.orders) as orders,
    sum(moves.revenue) as revenue,
    sum(moves.revenue_12m) as revenue_12m,
    sum(moves.buyers) as buyers,
    sum(moves.repeat_buyers) as repeat_buyers,
    sum(moves.churned) as churned,
    sum(moves.won_back) as won_back,
    sum(moves.expected_revenue_365d) as expected_revenue_365d,
    sum(moves.lifetime_value) as lifetime_value,
    sum(moves.churn_probability) as churn_probability,
    sum(moves.churn_customers) as churn_customers,
    sum(moves.next_order_probability) as next_order_probability,
    sum(moves.next_order_customers) as next_order_customers
from moves
inner join date_pairs on moves.as_of_date = date_pairs.as_of_date
left join versions
    on moves.as_of_date = versions.as_of_date
    and moves.segmentation = versions.segmentation
group by 1, 2, 3, 4, 5, 6
