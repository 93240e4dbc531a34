{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='as_of_date',
        post_hook="{{ forget_open_dates() }}",
    )
}}
{%- set definitions = published_definitions() -%}
{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}

with

due as (
    select *
    from {{ ref('as_of_dates') }}
    {%- if is_incremental() %}
    where
        is_latest
        or as_of_date not in (select published.as_of_date from {{ this }} as published)
    {%- endif %}
),

definitions as (
    {%- for definition in definitions %}
    select
        '{{ definition.name }}' as segmentation,
        '{{ definition.version }}' as definition_version,
        '{{ tojson(written_definition(definition)) | replace("'", "''") }}' as definition
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    due.as_of_date,
    definitions.segmentation,
    definitions.definition_version,
    definitions.definition,
    due.as_of_date as fitted_on,
    cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as published_at
from due
cross join definitions
