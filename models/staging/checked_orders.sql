{{ check_input('orders') }}
