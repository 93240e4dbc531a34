{{ config(post_hook="{{ check_losses('products') }}") }}

{%- if is_told_by_orders('products') %}

-- as the last line that says anything says it
select
    product_id,
    {%- for name in ['product_name', 'category', 'brand'] %}
    max_by({{ name }}, ordered_at) filter (where {{ name }} is not null) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from ({{ accepted_rows('orders') }}) as lines
where
    product_id is not null
    and not is_return
group by product_id
{%- else %}

with

accepted as (
    {{ accepted_rows('products') }}
)

select
    product_id,
    product_name,
    category,
    brand
from accepted
{%- endif %}
