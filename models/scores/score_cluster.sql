{{ config(materialized='view') }}
{%- set columns = cluster_columns() -%}
{%- set slots = cluster_slots() -%}
with

fits as (
    select distinct
        as_of_date,
        learned_on as fitted_on
    from {{ ref('fits_in_use') }}
    where learned_on is not null
),

parameters as (
    select
        *,
        dense_rank() over (partition by fitted_on, section order by cluster_id) as slot
    from {{ ref('fit_clusters') }}
    where section in ('scale', 'cluster')
),

clusters as (
    select
        fitted_on,
        slot,
        value as own_offset,
        concat('cluster_', cast(cluster_id as string)) as nearest_cluster
    from parameters
    where metric = 'offset'
),

-- a fit in one row: how its columns are put on one scale, and its clusters side by side
fitted {{ worked_out_once() }} (
    select
        fitted_on,
        {%- for column in columns %}
        {%- for metric in ['is_log', 'shift', 'low', 'high', 'centre', 'spread'] %}
        {{ cluster_parameter('scale', metric, column) }} as {{ column }}_{{ metric }},
        {%- endfor %}
        {%- for slot in slots %}
        coalesce({{ cluster_parameter('cluster', 'centre', column, slot) }}, 0) as {{ column }}_centre_{{ slot }},
        coalesce({{ cluster_parameter('cluster', 'weight', column, slot) }}, 0) as {{ column }}_weight_{{ slot }},
        {%- endfor %}
        {%- endfor %}
        {%- for slot in slots %}
        {{ cluster_parameter('cluster', 'offset', slot=slot) }} as offset_{{ slot }},
        {%- endfor %}
        count(case when metric = 'spread' then 1 end) as columns_used
    from parameters
    group by fitted_on
),

buyers as (
    {{ cluster_buyers() | indent(4) }}
),

-- a value that is not known is neither high nor low
standardised as (
    select
        buyers.customer_id,
        buyers.as_of_date,
        {%- for column in columns %}
        {%- set limited = 'least(greatest(buyers.{0}, fitted.{0}_low), fitted.{0}_high)'.format(column) %}
        coalesce(
            (
                case
                    when buyers.{{ column }} is null then null
                    when fitted.{{ column }}_is_log = 1 then ln(fitted.{{ column }}_shift + {{ limited }})
                    else {{ limited }}
                end
                - fitted.{{ column }}_centre
            ) / nullif(fitted.{{ column }}_spread, 0),
            0
        ) as {{ column }}_z,
        {%- endfor %}
        fitted.*
    from buyers
    inner join fits on buyers.as_of_date = fits.as_of_date
    -- left, so that the wide row comes last and is not dragged through the others: twice as fast
    left join fitted on fits.fitted_on = fitted.fitted_on
),

scored as (
    select
        customer_id,
        as_of_date,
        fitted_on,
        {%- for slot in slots %}
        offset_{{ slot }}
        {%- for column in columns %}
        {%- set difference %}({{ column }}_z - {{ column }}_centre_{{ slot }}){% endset %}
        + {{ column }}_weight_{{ slot }} * {{ difference }} * {{ difference }}
        {%- endfor %} as score_{{ slot }},
        {%- endfor %}
        columns_used
    from standardised
),

lowest as (
    select
        *,
        least({% for slot in slots %}score_{{ slot }}{{ ', ' if not loop.last }}{% endfor %}) as lowest_score
    from scored
),

nearest as (
    select
        customer_id,
        as_of_date,
        fitted_on,
        lowest_score,
        columns_used,
        case
            {%- for slot in slots %}
            when score_{{ slot }} = lowest_score then {{ slot }}
            {%- endfor %}
        end as slot
    from lowest
)

select
    nearest.customer_id,
    nearest.as_of_date,
    nearest.fitted_on,
    clusters.nearest_cluster,
    sqrt(greatest(nearest.lowest_score - clusters.own_offset, 0) / nearest.columns_used) as cluster_distance
from nearest
inner join clusters
    on nearest.fitted_on = clusters.fitted_on
    and nearest.slot = clusters.slot
