{%- for input in input_contract() %}
select
    '{{ input }}' as input,
    row_key,
    reasons,
    row_json
from {{ ref('checked_' ~ input) }}
where reasons is not null
{{ 'union all' if not loop.last }}
{%- endfor %}
