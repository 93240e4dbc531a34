{{ check_input('customers') }}
