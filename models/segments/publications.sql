{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='as_of_date',
        on_schema_change='append_new_columns',
        full_refresh=var('restate'),
        post_hook="{{ forget_open_dates() }}",
    )
}}
{%- set definitions = published_definitions() -%}
-- depends_on: {{ ref('segment_history') }}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

with

due as (
    {{ due_dates() | indent(4) }}
),

fits as (
    select * from {{ ref('fits_in_use') }}
),

versions as (
    select distinct
        fit,
        fitted_on,
        fit_version
    from {{ ref('fit_parameters') }}
),

fit_versions as (
    select
        fits.as_of_date,
        {{ sorted_text("concat(versions.fit, ' ', versions.fit_version)") }} as fit_versions
    from fits
    inner join versions
        on versions.fitted_on = case
            when versions.fit in ('rfm_cutoffs', 'interpurchase', 'value_cutoffs') then fits.cutoffs_on
            else fits.learned_on
        end
    where fits.as_of_date = fits.fitted_on
    group by fits.as_of_date
),

definitions as (
    select
        cast(null as string) as segmentation,
        cast(null as string) as definition_version,
        cast(null as string) as definition
    where false
    {%- for definition in definitions %}
    union all
    select
        {{ as_text(definition.name) }} as segmentation,
        {{ as_text(definition.version) }} as definition_version,
        {{ as_text(tojson(written_definition(definition))) }} as definition
    {%- endfor %}
)

select
    due.as_of_date,
    definitions.segmentation,
    definitions.definition_version,
    definitions.definition,
    fits.cutoffs_on,
    fits.learned_on,
    fit_versions.fit_versions,
    cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as published_at
from due
cross join definitions
inner join fits
    on due.as_of_date = fits.as_of_date
    and due.as_of_date = fits.fitted_on
left join fit_versions on due.as_of_date = fit_versions.as_of_date
