-- after all fits, so that it speaks of fits that succeeded
-- depends_on: {{ ref('fit_lifetime') }}
-- depends_on: {{ ref('fit_clusters') }}
-- depends_on: {{ ref('fit_next_order') }}
-- depends_on: {{ ref('fit_evaluation') }}
with

settings as (
    {%- for name, value in fit_variables().items() %}
    select
        '{{ name }}' as variable,
        '{{ value }}' as value
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

latest as (
    select max(as_of_date) as latest_date from {{ ref('as_of_dates') }}
)

select
    settings.variable,
    settings.value,
    latest.latest_date as data_until
from settings
cross join latest
