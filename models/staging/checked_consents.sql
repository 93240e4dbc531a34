{{ check_input('consents') }}
