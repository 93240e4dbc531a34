{{ rows_read_again('order_items') }}
