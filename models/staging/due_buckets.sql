with

changed_rows as (
    select * from {{ ref('changed_rows') }}
),

buckets as (
    select
        input,
        bucket
    from changed_rows
    -- accepted rows that name something that changed
    {%- for input in refreshed_inputs() %}
    {%- for column, reference in input_references(input).items() %}
    union all
    select
        '{{ input }}' as input,
        {{ row_bucket('stored.row_hash') }} as bucket
    from {{ built_model('checked_' ~ input) }} as stored
    where
        stored.{{ column }} in (
            select changed_rows.{{ column }} from changed_rows
            where
                changed_rows.input in ('{{ reference }}'{{ ", 'orders'" if reference == 'customers' }})
                and changed_rows.{{ column }} is not null
        )
    {%- endfor %}
    {%- endfor %}
)

select distinct
    input,
    bucket
from buckets
