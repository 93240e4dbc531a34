{{ config(enabled=inputs_say_what_is_new(), pre_hook="{{ create_read_loads() }}") }}

with

-- what all tables have read; where one never did, or read with other eyes, there is nothing to go by
read_before as (
    select
        input,
        min(loaded_until) as loaded_until,
        case when min(loaded_until) = max(loaded_until) and min(rows_hash) = max(rows_hash) then min(rows_hash) end as rows_hash
    from {{ read_loads() }}
    where
        read_with = '{{ read_with() if execute }}'
        and latest_date <= {{ latest_date() }}
    group by input
    having count(*) = {{ facts_by_customer() | length }}
),

{%- for input in inputs_of_facts() if has_input(input) %}

{{ input }} as (
    {{ typed_rows(input) | indent(4) }}
),

latest_of_{{ input }} as (
    select max(loaded_at) as loaded_until from {{ input }}
),
{%- endfor %}

-- the rows of the latest load and of that before: more of them may have come since they were read
loads as (
    {%- for input in inputs_of_facts() if has_input(input) %}
    select
        '{{ input }}' as input,
        latest.loaded_until,
        (select {{ hash_of_rows(input) }} from {{ input }} as loaded where loaded.loaded_at = latest.loaded_until) as rows_hash,
        (
            select {{ hash_of_rows(input) }}
            from {{ input }} as loaded
            inner join read_before on loaded.loaded_at = read_before.loaded_until
            where read_before.input = '{{ input }}'
        ) as rows_hash_before
    from latest_of_{{ input }} as latest
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
