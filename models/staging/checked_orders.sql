{{ config(post_hook="{{ check_some_orders() }}") }}

{{ check_input('orders') }}
