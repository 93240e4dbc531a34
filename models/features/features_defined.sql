{{ config(materialized='each_date', unique_key='as_of_date', pre_hook="{{ forget_other_features() }}") }}
{%- set sources = feature_sources() %}
{%- set features = readable_features() %}
{%- set as_of_dates = ref('as_of_dates') %}
{%- set relations = {'products': ref('stg_products')} %}
{%- for source, rules in sources.items() %}
{%- do relations.update({source: ref(rules.model)}) %}
{%- endfor %}
{%- set of_source = {} %}
{%- for name, feature in features.items() %}
{%- do of_source.setdefault(feature.source, {}).update({name: feature}) %}
{%- endfor %}
with

customer_dates as (
    select * from {{ ref('customer_dates') }}
    where {{ at_dates() }}
)
{%- for source, named in of_source.items() %}
{%- set rules = sources[source] %}
{%- set spans = named.values() | map(attribute='days') | list %}
{%- set uses_products = source == 'events' and named.values() | selectattr('uses_products') | list %},

-- every row once, for all features over it
of_{{ source }} as (
    select
        facts.customer_id,
        dates.as_of_date,
        {%- for name, feature in named.items() %}
        {{ feature_expression(feature) }} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relations[source] }} as facts
    inner join (select as_of_date from {{ as_of_dates }} where {{ at_dates() }}) as dates
        on facts.{{ rules.day }} <= dates.as_of_date
        {%- if none not in spans %}
        and facts.{{ rules.day }} > cast({{ dbt.dateadd('day', -(spans | max), 'dates.as_of_date') }} as date)
        {%- endif %}
    {%- if uses_products %}
    left join (
        select
            product_id as known_product_id,
            product_name,
            category,
            brand
        from {{ relations.products }}
    ) as products
        on facts.product_id = products.known_product_id
    {%- endif %}
    where
        facts.customer_id is not null
        {%- if source in ('orders', 'order_items', 'returns') %}
        and facts.is_counted
        {%- endif %}
        {%- if source in ('orders', 'order_items') %}
        -- an order that was sent back counts no more, as soon as that is known
        and not (facts.is_fully_returned and facts.returned_on <= dates.as_of_date)
        {%- endif %}
    group by facts.customer_id, dates.as_of_date
)
{%- endfor %}

select
    customer_dates.customer_id,
    {%- for name, feature in features.items() %}
    coalesce(of_{{ feature.source }}.{{ name }}, {{ feature_default(feature) }}) as {{ name }},
    {%- endfor %}
    '{{ features_version() }}' as features_version,
    customer_dates.as_of_date
from customer_dates
{%- for source in of_source %}
left join of_{{ source }}
    on customer_dates.customer_id = of_{{ source }}.customer_id -- noqa: LT02
    and customer_dates.as_of_date = of_{{ source }}.as_of_date -- noqa: LT02
{%- endfor %}
where {{ 'true' if features else 'false' }}
