{{ rows_read_again('orders') }}
