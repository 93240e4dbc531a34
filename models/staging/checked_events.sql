{{ kept_by_customer() }}
{{ check_input('events') }}
