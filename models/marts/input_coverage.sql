{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}
{%- set contract = input_contract() %}

with

latest as (
    select as_of_date from {{ ref('as_of_dates') }}
    where is_latest
),
{% for input, details in contract.items() %}
{{ input }} as (
    select
        count(*) as accepted_rows
    {%- for name, column in details['columns'].items() %},
        count({{ name }}) as {{ name }}_known
        {%- if column.type in ('date', 'timestamp') %},
        cast(min({{ name }}) as date) as {{ name }}_earliest,
        cast(max({{ name }}) as date) as {{ name }}_latest
        {%- endif %}
    {%- endfor %}
    from {{ ref('checked_' ~ input) }}
    where reasons is null
),
{% endfor %}
subjects as (
{%- for input, details in contract.items() %}
    {%- set mapped = mapped_columns(input) %}
    select
        'input' as subject,
        '{{ input }}' as name,
        {{ has_input(input) }} as is_present,
        accepted_rows,
        cast(null as double) as null_share,
        cast(null as date) as earliest_on,
        cast(null as date) as latest_on,
        cast(null as string) as note
    from {{ input }}
    {%- for name, column in details['columns'].items() %}
    union all
    select
        'column',
        '{{ input }}.{{ name }}',
        {{ name in mapped }},
        accepted_rows,
        {{ '1 - ' ~ name ~ '_known / nullif(cast(accepted_rows as double), 0)' if name in mapped else 'null' }},
        {{ name ~ '_earliest' if column.type in ('date', 'timestamp') else 'null' }},
        {{ name ~ '_latest' if column.type in ('date', 'timestamp') else 'null' }},
        null
    from {{ input }}
    {%- endfor %}
    union all
{%- endfor %}
    select
        'segment' as subject,
        concat(segmentation, '.', segment) as name,
        left_out_because is null as is_present,
        null, null, null, null,
        case when left_out_because is not null then concat('left out: needs ', left_out_because) end as note
    from {{ ref('segments') }}
)

select
    subjects.subject,
    subjects.name,
    subjects.is_present,
    cast(subjects.accepted_rows as bigint) as accepted_rows,
    subjects.null_share,
    subjects.earliest_on,
    subjects.latest_on,
    cast({{ dbt.datediff('subjects.latest_on', 'latest.as_of_date', 'day') }} as integer) as days_behind,
    subjects.note
from subjects
cross join latest
