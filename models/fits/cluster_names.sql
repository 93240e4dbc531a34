{{ config(materialized='view') }}

with

parameters as (
    select * from {{ ref('fit_clusters') }}
    where cluster_id > 0
),

named as (
    select
        fitted_on,
        cluster_id,
        max(case when metric = 'name_en' then note end) as label,
        max(case when metric = 'name_ko' then note end) as label_ko,
        max(case when metric = 'condition' then note end) as rule
    from parameters
    group by fitted_on, cluster_id
),

numbered as (
    select
        *,
        row_number() over (partition by cluster_id order by fitted_on desc) as age,
        max(fitted_on) over () as last_fitted_on
    from named
)

-- a cluster that no later fit has found again keeps its last name
select
    concat('cluster_', cast(cluster_id as string)) as cluster,
    label,
    label_ko,
    rule,
    cast(cluster_id as integer) as position,
    fitted_on as last_found_on,
    fitted_on = last_fitted_on as is_in_use
from numbered
where age = 1
