{{ check_input('order_items') }}
