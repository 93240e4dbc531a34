{{ config(materialized='view') }}

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

unmet as (
    select * from {{ ref('unmet_terms') }}
),

-- what is behind a score that has to rise
scored as (
    select
        unmet.*,
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
    orders_to_next,
    is_complete
from scored
