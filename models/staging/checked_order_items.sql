{{ kept_by_customer() }}
{{ check_input('order_items') }}
