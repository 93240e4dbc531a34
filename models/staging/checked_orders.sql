{{ config(materialized='by_row', input='orders', post_hook="{{ check_some_orders() }}") }}

{{ check_input('orders') }}
