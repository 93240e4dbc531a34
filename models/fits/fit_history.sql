{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='append_new_columns',
        full_refresh=false,
    )
}}

-- a fit that came out as it did before is on record
select
    parameters.fit,
    parameters.fitted_on,
    parameters.fit_version,
    parameters.parameter,
    parameters.value,
    parameters.note,
    cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as first_built_at
from {{ ref('fit_parameters') }} as parameters
{%- if is_incremental() %}
left join (select distinct known.fit, known.fitted_on, known.fit_version from {{ this }} as known) as recorded
    on parameters.fit = recorded.fit
    and parameters.fitted_on = recorded.fitted_on
    and parameters.fit_version = recorded.fit_version
where recorded.fit is null
{%- endif %}
