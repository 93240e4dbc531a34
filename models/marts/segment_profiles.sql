{%- set of_the_model = "('bg_nbd', 'bg_nbd, though it lost', 'pareto_nbd', 'pareto_nbd, though it lost')" -%}
with

customers as (
    select * from {{ ref('customers') }}
),

latest as (
    select as_of_date from {{ ref('as_of_dates') }}
    where is_latest
),

-- how far the revenue of a customer may be from what is expected
spreads as (
    select
        customer_id,
        cast(expected_revenue_365d_variance as decimal(38, 4)) as expected_revenue_365d_variance
    from {{ ref('latest_features') }}
),

-- how far the fit may be from the population, for all segments alike
fit_errors as (
    select max(fits.value) as relative_error
    from {{ ref('fit_lifetime') }} as fits
    inner join {{ ref('fits_in_use') }} as in_use on fits.fitted_on = in_use.learned_on
    inner join latest
        on in_use.as_of_date = latest.as_of_date
        and in_use.fitted_on = latest.as_of_date
    where fits.parameter = 'revenue_relative_error_365d'
),

-- how far the model was from what came on all holdouts: of 365 days, or of 90 where none of 365 was judged
model_errors as (
    select
        max(case when metric = 'band_common_part' then value end) as common_part,
        max(case when metric = 'band_cell_part' then value end) as cell_part,
        max(note) as note
    from {{ ref('model_evaluation') }}
    where
        metric in ('band_common_part', 'band_cell_part')
        and score in ('expected_revenue_90d', 'expected_revenue_365d')
    group by score
    qualify row_number() over (order by max(horizon_days) desc) = 1
),

members as (
    select
        segmentation,
        segment,
        customer_id
    from ({{ memberships('as_of_date = ' ~ latest_date()) | indent(4) }}) as memberships
    union all
    select
        '(all)' as segmentation,
        '(all)' as segment,
        customer_id
    from customers
),

profiles as (
    select
        members.segmentation,
        members.segment,
        count(*) as customers,
        sum(customers.lifetime_orders) as lifetime_orders,
        sum(customers.orders_12m) as orders_12m,
        cast(sum(customers.lifetime_revenue) as double) as lifetime_revenue,
        cast(sum(customers.revenue_12m) as double) as revenue_12m,
        cast(sum(customers.margin_12m) as double) as margin_12m,
        median(customers.lifetime_orders) as lifetime_orders_median,
        median(cast(customers.revenue_12m as double)) as revenue_12m_median,
        median(customers.days_since_first_order) as days_since_first_order_median,
        median(customers.days_since_last_order) as days_since_last_order_median,
        median(customers.interpurchase_days_median) as interpurchase_days_median,
        median(customers.category_breadth) as category_breadth_median,
        median(customers.discount_share) as discount_share_median,
        median(customers.return_share) as return_share_median,
        median(customers.price_level) as price_level_median,
        median(customers.visits_90d) as visits_90d_median,
        median(customers.age_years) as age_years_median,
        count(customers.expected_revenue_365d) as valued_customers,
        sum(cast(customers.expected_orders_365d as decimal(18, 6))) as expected_orders_365d,
        cast(sum(customers.expected_revenue_365d) as double) as expected_revenue_365d,
        -- known if every sum is the model's: a heuristic has no variance, nor has who may spend anything
        case
            when
                count(customers.expected_revenue_365d) = count(
                    case
                        when customers.expected_revenue_basis in {{ of_the_model }}
                            then spreads.expected_revenue_365d_variance
                    end
                )
                then cast(sum(spreads.expected_revenue_365d_variance) as double)
        end as expected_revenue_365d_variance,
        cast(sum(customers.lifetime_value) as double) as lifetime_value,
        cast(sum(cast(customers.churn_probability as decimal(18, 9))) as double)
        / nullif(count(customers.churn_probability), 0) as churn_probability_mean,
        cast(sum(cast(customers.next_order_probability as decimal(18, 9))) as double)
        / nullif(count(customers.next_order_probability), 0) as next_order_probability_mean,
        sum(case when customers.is_core then 1 when not customers.is_core then 0 end) as core_customers,
        sum(case when customers.is_active then 1 else 0 end) as active_customers,
        sum(case when customers.is_reachable then 1 when not customers.is_reachable then 0 end) as reachable_customers,
        sum(case when customers.can_email then 1 when not customers.can_email then 0 end) as email_customers,
        sum(case when customers.can_sms then 1 when not customers.can_sms then 0 end) as sms_customers,
        sum(case when customers.can_push then 1 when not customers.can_push then 0 end) as push_customers,
        sum(case when customers.can_messenger then 1 when not customers.can_messenger then 0 end) as messenger_customers
    from members
    inner join customers on members.customer_id = customers.customer_id
    left join spreads on members.customer_id = spreads.customer_id
    group by members.segmentation, members.segment
),

everybody as (
    select * from profiles
    where segmentation = '(all)'
),

-- what such an expectation was worth when it was last held against what came
judged as (
    select
        segmentation,
        segment,
        verdict
    from {{ ref('calibration') }}
    where
        score = 'expected_revenue_365d'
        and bin = 0
    qualify as_of_date = max(as_of_date) over ()
),

-- nine times out of ten the revenue lies within: customer_segmentation/evaluation/bands.py says what is in it
banded as (
    select
        profiles.*,
        sqrt(
            power(1.6448536, 2) * (
                profiles.expected_revenue_365d_variance
                + power(fit_errors.relative_error * profiles.expected_revenue_365d, 2)
            )
            + power(model_errors.common_part * profiles.expected_revenue_365d, 2)
            + power(
                model_errors.cell_part * profiles.expected_revenue_365d
                * (1 - profiles.expected_revenue_365d / nullif(everybody.expected_revenue_365d, 0)),
                2
            )
        ) as half_band,
        case when profiles.expected_revenue_365d_variance is not null then model_errors.note end as band_rests_on
    from profiles
    cross join everybody
    cross join fit_errors
    left join model_errors on true
),

{%- for dimension in ['favourite_category', 'region'] %}

{{ dimension }}_counts as (
    select
        members.segmentation,
        members.segment,
        customers.{{ dimension }} as value,
        count(*) as customers,
        sum(count(*)) over (partition by members.segmentation, members.segment) as known_customers,
        row_number() over (
            partition by members.segmentation, members.segment
            order by count(*) desc, customers.{{ dimension }}
        ) as place
    from members
    inner join customers on members.customer_id = customers.customer_id
    where customers.{{ dimension }} is not null
    group by members.segmentation, members.segment, customers.{{ dimension }}
),

{{ dimension }}_shares as (
    select
        segmentation,
        segment,
        place,
        concat(value, ' ', cast(round(100.0 * customers / known_customers) as integer), ' %') as value_and_share
    from {{ dimension }}_counts
),

{{ dimension }}_top as (
    select
        segmentation,
        segment,
        concat_ws(
            ', ',
            max(case when place = 1 then value_and_share end),
            max(case when place = 2 then value_and_share end),
            max(case when place = 3 then value_and_share end)
        ) as places
    from {{ dimension }}_shares
    group by segmentation, segment
),
{%- endfor %}

-- those whom a segmentation looks at; an overlapping one looks at everybody
populations as (
    select
        profiles.segmentation,
        case when max(segments.assignment) <> 'all_matches' then sum(profiles.customers) end as customers
    from profiles
    left join {{ ref('segments') }} as segments
        on profiles.segmentation = segments.segmentation
        and profiles.segment = segments.segment
    group by profiles.segmentation
)

select
    latest.as_of_date,
    profiles.segmentation,
    profiles.segment,
    segments.label,
    segments.label_ko,
    segments.replaced_by,
    favourite_category_top.places as top_categories,
    region_top.places as top_regions,
    segments.position,
    segments.segment_rank,
    cast(profiles.customers as integer) as customers,
    profiles.customers / coalesce(populations.customers, everybody.customers) as share_of_customers,
    cast(profiles.revenue_12m as decimal(18, 2)) as revenue_12m,
    profiles.revenue_12m / nullif(everybody.revenue_12m, 0) as share_of_revenue_12m,
    cast(profiles.lifetime_revenue as decimal(18, 2)) as lifetime_revenue,
    profiles.lifetime_revenue / nullif(everybody.lifetime_revenue, 0) as share_of_lifetime_revenue,
    cast(profiles.margin_12m as decimal(18, 2)) as margin_12m,
    profiles.revenue_12m / profiles.customers as revenue_12m_mean,
    cast(profiles.revenue_12m_median as double) as revenue_12m_median,
    profiles.orders_12m / profiles.customers as orders_12m_mean,
    profiles.lifetime_orders / profiles.customers as lifetime_orders_mean,
    profiles.lifetime_orders_median,
    profiles.lifetime_revenue / nullif(profiles.lifetime_orders, 0) as average_order_value,
    profiles.days_since_first_order_median,
    profiles.days_since_last_order_median,
    profiles.interpurchase_days_median,
    profiles.category_breadth_median,
    profiles.price_level_median,
    profiles.discount_share_median,
    profiles.return_share_median,
    profiles.visits_90d_median,
    profiles.age_years_median,
    cast(profiles.valued_customers as integer) as valued_customers,
    cast(profiles.expected_orders_365d as double) as expected_orders_365d,
    cast(profiles.expected_revenue_365d as decimal(18, 2)) as expected_revenue_365d,
    cast(
        profiles.expected_revenue_365d
        - case
            when profiles.half_band < profiles.expected_revenue_365d then profiles.half_band
            when profiles.half_band is not null then profiles.expected_revenue_365d
        end as decimal(18, 2)
    ) as expected_revenue_365d_low,
    cast(profiles.expected_revenue_365d + profiles.half_band as decimal(18, 2)) as expected_revenue_365d_high,
    profiles.half_band / nullif(profiles.expected_revenue_365d, 0) as expected_revenue_365d_margin,
    profiles.band_rests_on as expected_revenue_365d_rests_on,
    judged.verdict as expected_revenue_365d_verdict,
    profiles.expected_revenue_365d / nullif(everybody.expected_revenue_365d, 0) as share_of_expected_revenue_365d,
    cast(profiles.lifetime_value as decimal(18, 2)) as lifetime_value,
    profiles.lifetime_value / profiles.customers as lifetime_value_mean,
    profiles.churn_probability_mean,
    profiles.next_order_probability_mean,
    -- 100 is the mean of all customers
    100 * (profiles.revenue_12m / profiles.customers)
    / nullif(everybody.revenue_12m / everybody.customers, 0) as index_revenue_12m,
    100 * (profiles.orders_12m / profiles.customers)
    / nullif(everybody.orders_12m / everybody.customers, 0) as index_orders_12m,
    100 * (profiles.lifetime_revenue / nullif(profiles.lifetime_orders, 0))
    / nullif(everybody.lifetime_revenue / nullif(everybody.lifetime_orders, 0), 0) as index_average_order_value,
    profiles.core_customers / profiles.customers as share_core,
    profiles.active_customers / profiles.customers as share_active,
    {%- for reach in ['reachable', 'email', 'sms', 'push', 'messenger'] %}
    profiles.{{ reach }}_customers / profiles.customers as share_{{ reach }},
    {%- endfor %}
    cast(profiles.reachable_customers as integer) as reachable_customers,
    segments.deprecated_until
from banded as profiles
cross join latest
cross join everybody
inner join populations on profiles.segmentation = populations.segmentation
left join {{ ref('segments') }} as segments
    on profiles.segmentation = segments.segmentation
    and profiles.segment = segments.segment
left join favourite_category_top
    on profiles.segmentation = favourite_category_top.segmentation
    and profiles.segment = favourite_category_top.segment
left join region_top
    on profiles.segmentation = region_top.segmentation
    and profiles.segment = region_top.segment
left join judged
    on profiles.segmentation = judged.segmentation
    and profiles.segment = judged.segment
