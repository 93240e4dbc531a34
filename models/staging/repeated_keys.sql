{%- set inputs = [] -%}
{%- for input in input_contract() if has_key(input) -%}{%- do inputs.append(input) -%}{%- endfor -%}
{%- for input in inputs %}
select
    '{{ input }}' as input,
    key_hash
from (
    {{ typed_rows(input, only_news=input in ('orders', 'order_items', 'events')) | indent(4) }}
) as typed
where key_hash is not null
group by key_hash
having count(*) > 1
union all
{%- endfor %}
select
    cast(null as string) as input,
    {{ key_hash(["''"]) }} as key_hash
where false
