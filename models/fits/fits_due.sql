{#- the fits that are made now: those of new fit dates, and those that were made with other settings -#}
with

fit_dates as (
    select fitted_on from {{ ref('fit_dates') }}
    -- of dates that have left the grid there is nothing to fit: their fits stay
    where fitted_on in (select as_of_dates.as_of_date from {{ ref('as_of_dates') }} as as_of_dates)
)
{% for fit, settings in fits_to_make().items() %}
{%- set made = fits_made(fit, settings) %}
select
    '{{ fit }}' as fit,
    fitted_on,
    {{ as_text(settings) }} as settings
from fit_dates
{{ 'where fitted_on not in (' ~ made ~ ')' if made }}
{{ 'union all' if not loop.last }}
{%- endfor %}
