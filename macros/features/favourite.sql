{#-
  What a customer has most of as of each date (a channel by orders, a device by visits): customer_id, as_of_date, favourite.
  Of equals the one that got there first: so a favourite is replaced only by what overtakes it, and ties don't flip.

  relation: what has customer_id and day; value: an expression over it. The CTE `dates` has the as-of dates.
-#}
{% macro favourite(relation, value, day) -%}
    select
        customer_id,
        as_of_date,
        {{ first_to_reach('value', 'total', 'grown_on') }} as favourite
    from (
        select
            counted.customer_id,
            dates.as_of_date,
            counted.value,
            count(*) as total,
            max(counted.date_day) as grown_on
        from (
            select
                customer_id,
                {{ day }} as date_day,
                {{ value }} as value
            from {{ relation }}
        ) as counted
        inner join dates on counted.date_day <= dates.as_of_date
        where counted.value is not null
        group by counted.customer_id, dates.as_of_date, counted.value
    ) as totals
    group by customer_id, as_of_date
{%- endmacro %}

{#- Of a group's values the one with the highest total; of equals the one that got there first. -#}
{% macro first_to_reach(value, total, grown_on) -%}
    min_by({{ value }}, {{ in_order(['-' ~ total, grown_on, value]) }})
{%- endmacro %}
