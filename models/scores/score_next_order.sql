{{ config(materialized='view') }}
{%- set features = next_order_features_in_use() -%}
with

fits as (
    select distinct
        as_of_date,
        learned_on as fitted_on
    from {{ ref('fits_in_use') }}
    where learned_on is not null
),

{{ next_order_contributions(features, 'fits') }}

select
    customer_id,
    as_of_date,
    fitted_on,
    1 / (1 + exp(-(
        intercept
        {%- for feature in features %}
        + from_{{ feature.name }}
        {%- endfor %}
    ))) as learned_order_probability
from contributions
