{{ check_input('products') }}
