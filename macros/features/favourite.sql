{#-
  What a customer has most of so far (a category by spend, a channel by orders …), for each as-of date on
  which it may have changed: customer_id, as_of_date, favourite (null where it stays as it was), the weight
  of the favourite so far, and the weight added.

  A favourite is replaced only by a value that overtakes it, so ties don't flip. Totals run by day, so that the
  result doesn't depend on which as-of dates are looked at. They only grow, so the highest one so far is that of
  the favourite, and no value need be carried from date to date.

  relation: a CTE with customer_id and known_on; value, weight (>= 0) and day: expressions over it.
-#}
{% macro favourite(relation, value, weight, day) -%}
    select
        customer_id,
        known_on as as_of_date,
        max_by(value, weight_so_far) filter (where weight_so_far > coalesce(highest_before, -1)) as favourite,
        max(greatest(weight_so_far, coalesce(highest_before, weight_so_far))) as favourite_weight,
        sum(weight) as weight
    from (
        select
            *,
            max(weight_so_far) over (
                partition by customer_id
                order by date_day, weight_so_far, value
                rows between unbounded preceding and 1 preceding
            ) as highest_before
        from (
            select
                customer_id,
                known_on,
                {{ day }} as date_day,
                {{ value }} as value,
                sum({{ weight }}) as weight,
                sum(sum({{ weight }})) over (partition by customer_id, {{ value }} order by {{ day }}) as weight_so_far
            from {{ relation }}
            where {{ value }} is not null
            group by customer_id, known_on, {{ day }}, {{ value }}
        ) as running
    ) as compared
    group by customer_id, known_on
{%- endmacro %}
