{{
    config(
        materialized='each_date',
        unique_key='as_of_date',
        on_schema_change='append_new_columns',
        full_refresh=var('restate'),
        post_hook="{{ forget_open_dates() }}",
    )
}}
{%- set definitions = published_definitions() %}

with

due as (
    select
        as_of_date,
        previous_as_of_date
    from {{ ref('as_of_dates') }}
    where {{ at_dates() }}
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

undated as (
    select customer_id from {{ ref('known_customers') }}
    where known_from is null
),

{#- each date by itself, so that tables are joined a date with a date -#}
{%- for name, day in {'now': 'as_of_date', 'before': 'previous_as_of_date'}.items() %}

published_{{ name }} as (
    select
        published.*,
        due.as_of_date as due_on,
        due.previous_as_of_date
    from {{ ref('segment_history') }} as published
    inner join due on published.as_of_date = due.{{ day }}
),

known_{{ name }} as (
    select assignments.*
    from {{ ref('segment_assignments') }} as assignments
    inner join due on assignments.as_of_date = due.{{ day }}
),

{{ name }} as (
    select
        {%- for measure in place_measures() %}
        known_{{ name }}.{{ measure }},
        {%- endfor %}
        published_{{ name }}.*
    from published_{{ name }}
    left join known_{{ name }}
        on published_{{ name }}.customer_id = known_{{ name }}.customer_id
        and published_{{ name }}.as_of_date = known_{{ name }}.as_of_date
),
{%- endfor %}

-- a customer whose data was deleted in between is in `before` alone
changes as (
    select
        coalesce(now.due_on, before.due_on) as as_of_date,
        {%- for definition in definitions %}
        before.{{ definition.name }} as {{ definition.name }}_before,
        now.{{ definition.name }},
        {%- endfor %}
        before.customer_id is not null as was_known,
        now.customer_id is not null as is_known,
        undated.customer_id is not null as is_undated,
        now.moved_by_rule,
        coalesce(now.lifetime_orders - coalesce(before.lifetime_orders, 0), 0) as orders,
        coalesce(now.lifetime_revenue - coalesce(before.lifetime_revenue, 0), 0) as revenue,
        coalesce(now.revenue_12m, before.revenue_12m, 0) as revenue_12m,
        now.expected_revenue_365d,
        now.lifetime_value,
        now.churn_probability,
        now.next_order_probability,
        case when now.last_order_on > now.previous_as_of_date then 1 else 0 end as is_buyer,
        case
            when now.last_order_on > now.previous_as_of_date and before.lifetime_orders > 0 then 1
            else 0
        end as is_repeat_buyer,
        before.active_until >= before.as_of_date as was_active,
        coalesce(now.active_until >= now.as_of_date, false) as is_active,
        -- by the days that were given the date before: that the line moved is nothing that a customer did
        coalesce(
            {{ dbt.datediff('now.last_order_on', 'now.as_of_date', 'day') }}
            > {{ dbt.datediff('before.last_order_on', 'before.active_until', 'day') }},
            true
        ) as is_past_line
    from now
    full outer join before
        on now.customer_id = before.customer_id
        and now.due_on = before.due_on
    left join undated on now.customer_id = undated.customer_id
),

-- those who do the same in every segmentation are counted once for all of them
patterns as (
    select
        as_of_date,
        {%- for definition in definitions %}
        {{ definition.name }}_before,
        {{ definition.name }},
        {%- endfor %}
        was_known,
        is_known,
        is_undated,
        moved_by_rule,
        {{ move_counts() }}
    from changes
    group by all
),

moves as (
    select
        as_of_date,
        '(all)' as segmentation,
        case when was_known then '(all)' end as from_segment,
        case when is_known then '(all)' end as to_segment,
        'none' as rule,
        not was_known and is_undated as appears_undated,
        {{ move_sums() }}
    from patterns
    group by 1, 2, 3, 4, 5, 6
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
            when {{ contains_part('moved_by_rule', pair.rule ~ ':told') }} then 'told'
            else 'none'
        end as rule,
        not was_known and is_undated as appears_undated,
        {{ move_sums() }}
    from patterns
    where coalesce({{ pair.before }}, {{ pair.now }}) is not null
    group by 1, 2, 3, 4, 5, 6
    {%- endfor %}
    {%- endfor %}
)

select
    moves.as_of_date,
    -- nobody moves into a segmentation that was not published the date before
    case
        when moves.segmentation = '(all)' or versions.previous_published_on = due.previous_as_of_date
            then due.previous_as_of_date
    end as previous_as_of_date,
    moves.segmentation,
    moves.from_segment,
    moves.to_segment,
    case
        when moves.from_segment = moves.to_segment then 'none'
        -- who nothing dates is known on the latest date alone: that the date moved on makes nobody a new customer
        when moves.appears_undated then 'undated'
        when moves.rule in ('refit', 'told') then moves.rule
        -- where the definition is the same, late rows have changed what was known of the customer
        when moves.rule = 'definition' and versions.definition_version <> versions.previous_definition_version
            then 'definition'
        else 'customer'
    end as cause,
    {{ move_sums('moves.') }}
from moves
inner join due on moves.as_of_date = due.as_of_date
left join versions
    on moves.as_of_date = versions.as_of_date
    and moves.segmentation = versions.segmentation
group by 1, 2, 3, 4, 5, 6
