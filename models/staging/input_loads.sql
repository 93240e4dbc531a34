{{ config(enabled=inputs_say_what_is_new()) }}

with

-- what all tables have read; where one never did, or read with other eyes, there is nothing to go by
read_before as (
    select
        input,
        min(loaded_until) as loaded_until,
        case
            when min(loaded_until) = max(loaded_until) and min(rows_hash) = max(rows_hash) then min(rows_hash)
        end as rows_hash
    from {{ read_loads() }}
    where
        read_with = '{{ read_with() if execute }}'
        and latest_date <= {{ latest_date() }}
    group by input
    having count(*) = {{ facts_by_customer() | length }}
),

loads as (
    {%- for input in inputs_of_facts() if has_input(input) %}
    select
        '{{ input }}' as input,
        {{ loaded_until(input) }} as loaded_until,
        -- of the latest load, and of the one before: more of its rows may have come since they were read
        ({{ hash_of_load(input, loaded_until(input)) }}) as rows_hash,
        ({{ hash_of_load(input, read_until(input)) }}) as rows_hash_before
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    loads.input,
    loads.loaded_until,
    loads.rows_hash,
    {{ latest_date() }} as latest_date,
    '{{ read_with() if execute }}' as read_with,
    read_before.loaded_until as loaded_before,
    coalesce(read_before.rows_hash = loads.rows_hash_before, false) as was_whole
from loads
left join read_before on loads.input = read_before.input
