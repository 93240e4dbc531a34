{{ config(materialized='view') }}

{%- set shared = shared_conditions() %}

{%- for statement in shared_conditions_by_model() %}
{%- for name, condition in statement.conditions.items() %}
select
    {{ as_text(name) }} as name,
    {{ as_text(written_out(condition, shared)) }} as condition,
    {{ as_text(statement.model) }} as stated_by,
    {{ as_text(statement.file) }} as file
union all
{%- endfor %}
{%- endfor %}
select
    cast(null as string) as name,
    cast(null as string) as condition,
    cast(null as string) as stated_by,
    cast(null as string) as file
where false
