{{ config(enabled=inputs_say_what_is_new()) }}

with

-- what all tables have read; where one did not, or under other settings, there is nothing to go by
read_before as (
    select
        input,
        min(loaded_until) as loaded_until,
        min(rows_before) as rows_before,
        min(rows_hash) as rows_hash
    from {{ read_loads() }}
    where
        table_name in ('{{ facts_by_customer() | join("', '") }}')
        and read_with = '{{ read_with() if execute }}'
        and latest_date <= {{ latest_date() }}
    group by input
    having
        count(*) = {{ facts_by_customer() | length }}
        {%- for column in ['loaded_until', 'rows_before', 'rows_hash', 'latest_date'] %}
        and min({{ column }}) = max({{ column }})
        {%- endfor %}
),

loads (input, loaded_until, rows_before, rows_hash, rows_before_that_read, rows_hash_of_that_read) as (
    {%- for input in inputs_of_facts() %}
    {%- set latest_load = loaded_until(input) %}
    select
        '{{ input }}',
        {{ latest_load }},
        {{ rows_of_load(input, latest_load) }},
        {{ rows_of_load(input, read_until(input)) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    loads.input,
    loads.loaded_until,
    loads.rows_before,
    loads.rows_hash,
    {{ latest_date() }} as latest_date,
    '{{ read_with() if execute }}' as read_with,
    -- where there are more rows now before the load that was read, some came late with an earlier time
    case
        when loads.rows_before_that_read <= read_before.rows_before then read_before.loaded_until
    end as loaded_before,
    coalesce(loads.rows_hash_of_that_read = read_before.rows_hash, false) as was_whole
from loads
left join read_before on loads.input = read_before.input
