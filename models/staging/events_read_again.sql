{{ rows_read_again('events') }}
