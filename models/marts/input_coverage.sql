{%- for name in var('segmentations') %}
-- depends_on: {{ ref('segments_' ~ name) }}
{%- endfor %}
{%- set contract = input_contract() %}
{%- set dates = ('date', 'timestamp') %}

with

latest as (
    select as_of_date from {{ ref('as_of_dates') }}
    where is_latest
),
{% for input, details in contract.items() %}
{{ input }}_delivered as (
    select
        {%- for name, column in details['columns'].items() %}
        count({{ name }}) as {{ name }}_known,
        {%- for side, extreme in {'earliest': 'min', 'latest': 'max'}.items() %}
        {% if column.type in dates %}{{ extreme }}({{ valid_date(name, column) }}){% else %}null{% endif %}
            as {{ name }}_{{ side }},
        {%- endfor %}
        {%- endfor %}
        count(*) as row_count
    from (
        {{ typed_rows(input) | indent(8) }}
    ) as typed
),

{{ input }}_rejected as (
    select
        {%- for name in details['columns'] %}
        count({{ name }}) as {{ name }}_known,
        {%- endfor %}
        count(*) as row_count
    from {{ ref('checked_' ~ input) }}
    where reasons is not null
),

-- what is accepted is what was delivered less what was rejected: nobody need look at every text again
{{ input }} as (
    select
        {%- for name in details['columns'] %}
        delivered.{{ name }}_known - rejected.{{ name }}_known as {{ name }}_known,
        delivered.{{ name }}_earliest,
        delivered.{{ name }}_latest,
        {%- endfor %}
        delivered.row_count - rejected.row_count as accepted_rows
    from {{ input }}_delivered as delivered
    cross join {{ input }}_rejected as rejected
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
    {%- for name in details['columns'] %}
    union all
    select
        'column' as subject,
        '{{ input }}.{{ name }}' as name,
        {{ name in mapped }} as is_present,
        accepted_rows,
        {%- if name not in mapped %}
        null as null_share,
        {%- elif 'default' in details['columns'][name] or details['columns'][name].rare %}
        -- an empty value means the default, or that there is nothing to tell
        case when accepted_rows > 0 then 0 end as null_share,
        {%- else %}
        1 - {{ name }}_known / nullif(accepted_rows, 0) as null_share,
        {%- endif %}
        {{ name }}_earliest as earliest_on,
        {{ name }}_latest as latest_on,
        null as note
    from {{ input }}
    {%- endfor %}
    union all
    {%- endfor %}
    select
        'segment' as subject,
        concat(segmentation, '.', segment) as name,
        left_out_because is null as is_present,
        null as accepted_rows,
        null as null_share,
        null as earliest_on,
        null as latest_on,
        'left out: needs ' || left_out_because as note
    from {{ ref('segments') }}
    where assignment <> 'learned'
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
