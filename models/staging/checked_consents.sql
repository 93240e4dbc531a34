{{ config(materialized='by_row', input='consents') }}

{{ check_input('consents') }}
