{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='append_new_columns',
        full_refresh=false,
    )
}}

with

parameters as (
    select * from {{ ref('fit_parameters') }}
),

recorded as (
    select distinct
        fit,
        fitted_on,
        fit_version
    from {{ this if is_incremental() else 'parameters' }}
    where {{ 'true' if is_incremental() else 'false' }}
)

-- a fit that came out as it did before is on record
select
    parameters.fit,
    parameters.fitted_on,
    parameters.fit_version,
    parameters.parameter,
    parameters.value,
    parameters.note,
    cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as first_built_at
from parameters
left join recorded
    on parameters.fit = recorded.fit
    and parameters.fitted_on = recorded.fitted_on
    and parameters.fit_version = recorded.fit_version
where recorded.fit is null
