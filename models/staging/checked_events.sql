{{ check_input('events') }}
