{{ config(enabled=inputs_say_what_is_new()) }}

{%- if not (execute and reads_only_news()) %}
-- everything is read
select cast(null as string) as order_id
where false
-- depends_on: {{ ref('input_orders') }} {{ ref('customers_with_news') }}
{%- else %}
select order_id
from (
    {{ typed_rows('orders', only_news=true) | indent(4) }}
) as typed
where order_id is not null
union
select order_id from {{ built_model('stg_orders') }}
where
    order_id is not null
    and customer_id in ({{ ids_read_again('orders') }})
{%- endif %}
