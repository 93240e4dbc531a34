{{ config(materialized='view') }}

{%- for name, column in cluster_columns().items() %}
select
    '{{ name }}' as column_name,
    {{ loop.index }} as position,
    '{{ column.better }}' as better,
    {%- for side in ['high', 'low'] %}
    {{ as_text(column[side].en) }} as {{ side }}_en,
    {{ as_text(column[side].ko) }} as {{ side }}_ko,
    {%- endfor %}
    '{{ column.transform }}' as transform
{{ 'union all' if not loop.last }}
{%- endfor %}
