{#- a name that was given by hand goes before the learned one -#}
{%- set definition = segmentation_definition('cluster') -%}
with

latest as (
    select
        fits_in_use.as_of_date,
        fits_in_use.learned_on as fitted_on
    from {{ ref('fits_in_use') }} as fits_in_use
    inner join {{ ref('as_of_dates') }} as as_of_dates
        on fits_in_use.as_of_date = as_of_dates.as_of_date
        and fits_in_use.fitted_on = as_of_dates.as_of_date
    where as_of_dates.is_latest
),

parameters as (
    select parameters.*
    from {{ ref('fit_clusters') }} as parameters
    inner join latest on parameters.fitted_on = latest.fitted_on
),

fit as (
    select
        max(case when metric = 'method' then note end) as method,
        max(case when metric = 'fidelity' then value end) as rule_fidelity,
        max(case when metric = 'sample' then value end) as sampled_customers
    from parameters
    where section = 'fit'
),

clusters as (
    select
        concat('cluster_', cast(cluster_id as string)) as cluster,
        k as clusters,
        max(case when metric = 'name_en' then note end) as name_en,
        max(case when metric = 'name_ko' then note end) as name_ko,
        max(case when metric = 'share' then value end) as share_at_fit,
        max(case when metric = 'jaccard' then value end) as jaccard,
        max(case when metric = 'jaccard' then note end) as verdict,
        max(case when metric = 'differs_by' then note end) as differs_by,
        max(case when metric = 'condition' then note end) as rule,
        max(case when metric = 'precision' then value end) as rule_precision,
        max(case when metric = 'recall' then value end) as rule_recall,
        max(case when metric = 'distance' then note end) as matched_to,
        max(case when metric = 'distance' then value end) as match_distance,
        max(case when metric = 'new' then 1 else 0 end) as is_new
    from parameters
    where cluster_id > 0
    group by cluster_id, k
),

members as (
    select
        nearest_cluster as cluster,
        count(*) as customers,
        sum(count(*)) over () as all_customers,
        sum(revenue_12m) as revenue_12m,
        sum(sum(revenue_12m)) over () as all_revenue_12m,
        median(cluster_distance) as cluster_distance_median
    from {{ ref('latest_features') }}
    where nearest_cluster is not null
    group by nearest_cluster
)

select
    latest.as_of_date,
    clusters.cluster,
    {{ text_by_hand(definition, 'label.en', 'clusters.name_en') }} as label,
    {{ text_by_hand(definition, 'label.ko', 'clusters.name_ko') }} as label_ko,
    clusters.differs_by,
    clusters.rule,
    clusters.verdict,
    fit.method,
    cast(clusters.clusters as integer) as clusters,
    cast(fit.sampled_customers as integer) as sampled_customers,
    cast(coalesce(members.customers, 0) as integer) as customers,
    coalesce(members.customers, 0) / nullif(cast(members.all_customers as double), 0) as share_of_customers,
    clusters.share_at_fit,
    cast(members.revenue_12m as decimal(18, 2)) as revenue_12m,
    cast(members.revenue_12m as double) / nullif(cast(members.all_revenue_12m as double), 0) as share_of_revenue_12m,
    members.cluster_distance_median,
    clusters.jaccard,
    clusters.rule_precision,
    clusters.rule_recall,
    fit.rule_fidelity,
    clusters.match_distance,
    clusters.is_new = 1 as is_new,
    cast(clusters.matched_to as date) as matched_to,
    latest.fitted_on
from clusters
cross join latest
cross join fit
left join members on clusters.cluster = members.cluster
