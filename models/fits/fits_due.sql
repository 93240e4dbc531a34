{#- the fits that are made now: those of new fit dates, and those that were made with other settings -#}
with

fit_dates as (
    select fitted_on from {{ ref('fit_dates') }}
)
{% for fit, settings in fits_to_make().items() %}
select
    '{{ fit }}' as fit,
    fitted_on,
    {{ as_text(settings) }} as settings
from fit_dates
{{ 'where fitted_on not in (' ~ fits_made(fit, settings) ~ ')' if fits_made(fit, settings) }}
{{ 'union all' if not loop.last }}
{%- endfor %}
