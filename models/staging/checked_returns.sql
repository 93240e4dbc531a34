{{ check_input('returns') }}
