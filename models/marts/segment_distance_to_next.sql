{#- each ordered segmentation with the ways up in it -#}
{%- set plans = {} %}
{%- for definition in ordered_definitions() %}
{%- do plans.update({definition.name: dict(segment_ways(definition), definition=definition)}) %}
{%- endfor %}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

with

latest as (
    select
        fits.as_of_date,
        fits.cutoffs_on
    from {{ ref('fits_in_use') }} as fits
    inner join {{ ref('as_of_dates') }} as as_of_dates on fits.as_of_date = as_of_dates.as_of_date
    where
        as_of_dates.is_latest
        and fits.as_of_date = fits.fitted_on
),

cutoffs as (
    select
        concat(fits.metric, '_score') as score,
        fits.cutoff_1,
        fits.cutoff_2,
        fits.cutoff_3,
        fits.cutoff_4
    from {{ ref('fit_rfm_cutoffs') }} as fits
    inner join latest on fits.fitted_on = latest.cutoffs_on
    union all
    select
        'expected_revenue_score' as score,
        fits.cutoff_1,
        fits.cutoff_2,
        fits.cutoff_3,
        fits.cutoff_4
    from {{ ref('fit_value_cutoffs') }} as fits
    inner join latest on fits.fitted_on = latest.cutoffs_on
),

customers as (
    select
        features.*,
        {{ rfm_score('coalesce(features.lifetime_orders, 0) + 1', 'cutoffs') }} as frequency_score_after_order
    from {{ ref('customer_features') }} as features
    left join cutoffs on cutoffs.score = 'frequency_score'
    where features.as_of_date = {{ latest_date() }}
),
{%- for name, plan in plans.items() %}

-- which terms of the ways each customer meets
{{ name }}_terms as (
    select
        *,
        {%- for term in plan.terms %}
        {{ term.is_met }} as term_{{ loop.index0 }},
        {%- endfor %}
        {{ segment_expression(plan.definition) | indent(4) }} as segment
    from customers
),

{{ name }}_levels as (
    select
        *,
        case segment
            {%- for segment in plan.segments %}
            when '{{ segment.name }}' then {{ segment.level }}
            {%- endfor %}
        end as level
    from {{ name }}_terms
),

-- the way to the lowest level above, and then with the fewest unmet terms: level, unmet terms and number in one number
{{ name }}_ways as (
    select
        *,
        least(
            {%- for way in plan.ways %}
            {{ way_as_number(way) }},
            {%- endfor %}
            cast(null as integer)
        ) as way
    from {{ name }}_levels
),

{{ name }}_way_terms as (
    select
        listed.number,
        listed.position,
        listed.next_segment,
        listed.feature,
        listed.comparison,
        listed.term,
        cast(listed.needed as double) as needed
    from (
        values
        {{ listed_terms(plan) }}
    ) as listed (number, position, next_segment, feature, comparison, term, needed)
),
{%- endfor %}

unmet as (
    {%- for name, plan in plans.items() %}
    select
        ways.customer_id,
        ways.as_of_date,
        '{{ name }}' as segmentation,
        ways.segment,
        terms.next_segment,
        terms.feature,
        terms.comparison,
        terms.term,
        case
            when terms.feature is null then cast(null as double)
            {%- for term in plan.terms | selectattr('comparison') | unique(attribute='feature') %}
            when terms.feature = '{{ term.feature }}' then cast(ways.{{ term.feature }} as double)
            {%- endfor %}
        end as value,
        terms.needed,
        case
            when terms.feature is null then cast(null as double)
            {%- for feature, metric in scored_metrics().items() if feature in plan.columns %}
            when terms.feature = '{{ feature }}' then cast(ways.{{ metric }} as double)
            {%- endfor %}
        end as metric_value,
        mod(cast(floor(ways.way / 10000.0) as integer), 100) as terms_unmet,
        -- met by any order: that the last one was long ago, for instance
        case
            when terms.position is null then cast(null as boolean)
            {%- for position, takes_order in terms_met_by_any_order(plan) %}
            when terms.position = {{ position }} then {{ takes_order }}
            {%- endfor %}
            else false
        end as is_met_by_order,
        -- sure only where all that decides are comparisons of a feature each
        case
            when terms.number is null then cast(null as boolean)
            {%- for way in plan.ways if way.doubts %}
            when terms.number = {{ way.number }} then {{ way.doubts | join(' and ') }}
            {%- endfor %}
            else true
        end as is_complete
    from {{ name }}_ways as ways
    inner join {{ name }}_way_terms as terms on mod(ways.way, 10000) = terms.number
    where
        case
            {%- for term in plan.terms %}
            when terms.position = {{ loop.index0 }} then not ways.term_{{ loop.index0 }}
            {%- endfor %}
        end
    union all
    {%- endfor %}
    select
        cast(null as string) as customer_id,
        cast(null as date) as as_of_date,
        cast(null as string) as segmentation,
        cast(null as string) as segment,
        cast(null as string) as next_segment,
        cast(null as string) as feature,
        cast(null as string) as comparison,
        cast(null as string) as term,
        cast(null as double) as value,
        cast(null as double) as needed,
        cast(null as double) as metric_value,
        cast(null as integer) as terms_unmet,
        cast(null as boolean) as is_met_by_order,
        cast(null as boolean) as is_complete
    where false
),

-- what is behind a score that has to rise
scored as (
    select
        unmet.*,
        case unmet.feature
            {%- for feature, metric in scored_metrics().items() %}
            when '{{ feature }}' then '{{ metric }}'
            {%- endfor %}
        end as metric,
        case unmet.feature
            when 'recency_score' then '<='
            when 'frequency_score' then '>='
            else '>'
        end as metric_comparison,
        case
            -- more orders than the cut-off are one more at least
            when unmet.feature = 'frequency_score'
                then
                    1 + floor(
                        case unmet.needed
                            when 2 then cutoffs.cutoff_1
                            when 3 then cutoffs.cutoff_2
                            when 4 then cutoffs.cutoff_3
                            when 5 then cutoffs.cutoff_4
                        end
                    )
            -- recency counts the other way round: few days score high
            when unmet.feature = 'recency_score'
                then
                    case unmet.needed
                        when 2 then cutoffs.cutoff_4
                        when 3 then cutoffs.cutoff_3
                        when 4 then cutoffs.cutoff_2
                        when 5 then cutoffs.cutoff_1
                    end
            else
                case unmet.needed
                    when 2 then cutoffs.cutoff_1
                    when 3 then cutoffs.cutoff_2
                    when 4 then cutoffs.cutoff_3
                    when 5 then cutoffs.cutoff_4
                end
        end as metric_needed
    from unmet
    left join cutoffs
        on unmet.feature = cutoffs.score
        and unmet.comparison in ('=', '>=')
        and (unmet.value < unmet.needed or unmet.value is null)
),

-- how many orders meet a term; empty where orders alone don't
in_orders as (
    select
        *,
        cast(
            case
                when is_met_by_order then 1
                when feature in ('lifetime_orders', 'orders_12m') and needed > value then needed - value
                when feature = 'frequency_score' then metric_needed - metric_value
            end as integer
        ) as orders_needed
    from scored
)

select
    customer_id,
    as_of_date,
    segmentation,
    segment,
    next_segment,
    feature,
    comparison,
    term,
    case when metric_needed is not null then metric end as metric,
    case when metric_needed is not null then metric_comparison end as metric_comparison,
    value,
    needed,
    needed - value as difference,
    case when metric_needed is not null then metric_value end as metric_value,
    metric_needed,
    metric_needed - metric_value as metric_difference,
    terms_unmet,
    orders_needed,
    -- empty where a term can't be met by orders alone
    case
        when count(orders_needed) over way = terms_unmet then max(orders_needed) over way
    end as orders_to_next,
    is_complete
from in_orders
window way as (partition by customer_id, segmentation)
