with

fit_dates as (
    select * from {{ ref('fit_dates') }}
),

rfm as (
    select * from {{ ref('features_rfm') }}
),

-- an order of all customers that has nothing to do with them and stays as it is; the latest date knows everybody
places as (
    select
        customer_id,
        row_number() over (order by md5(customer_id), customer_id) as place
    from rfm
    where as_of_date = (select max(fitted_on) from fit_dates)
),

drawn as (
    select
        rfm.customer_id,
        rfm.as_of_date
    from rfm
    inner join fit_dates on rfm.as_of_date = fit_dates.fitted_on
    inner join places on rfm.customer_id = places.customer_id
    where rfm.lifetime_orders > 0
    qualify row_number() over (partition by rfm.as_of_date order by places.place) <= 10000
)

select
    {%- for name, column in cluster_columns().items() %}
    cast({{ column.model }}.{{ name }} as double) as {{ name }},
    {%- endfor %}
    drawn.customer_id,
    drawn.as_of_date as fitted_on
from drawn
{%- for model in cluster_feature_models() %}
left join {{ ref(model) }} as {{ model }}
    on drawn.customer_id = {{ model }}.customer_id
    and drawn.as_of_date = {{ model }}.as_of_date
{%- endfor %}
