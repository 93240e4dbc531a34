{#-
  Definitions are judged again when they change, and when a month has closed. A table of its own: of the recursive query
  DuckDB expects thousands of rows, and would join all assignments before it looks at their dates.
-#}
with recursive

as_of_dates as (
    select
        as_of_date,
        is_latest,
        cast({{ dbt.dateadd('day', outcome_days(), 'as_of_date') }} as date) as outcome_until,
        max(as_of_date) over () as latest_date
    from {{ ref('as_of_dates') }}
),

-- for each date the last one whose outcome was over by then
steps as (
    select
        later.as_of_date,
        max(earlier.as_of_date) as judged_on
    from as_of_dates as later
    inner join as_of_dates as earlier on later.as_of_date >= earlier.outcome_until
    group by later.as_of_date
),

-- back from the latest date, so that no day counts in two windows
judged as (
    select
        latest_date as as_of_date,
        0 as outcome_window
    from as_of_dates
    where as_of_date = latest_date
    union all
    select
        steps.judged_on as as_of_date,
        judged.outcome_window + 1 as outcome_window
    from judged
    inner join steps on judged.as_of_date = steps.as_of_date
    where judged.outcome_window < 4
)

select
    judged.as_of_date,
    judged.outcome_window,
    case when judged.outcome_window > 0 then as_of_dates.outcome_until end as outcome_until,
    '{{ judged_with() }}' as judged_with
from judged
inner join as_of_dates on judged.as_of_date = as_of_dates.as_of_date
{{ 'where false' if not judgement_is_due() }}
