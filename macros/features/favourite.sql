{#-
  What a customer has most of so far (a category by spend, a channel by orders …): customer_id, date_day and favourite,
  a row for each day on which the favourite changes or gains.

  A favourite is replaced only by a value that overtakes it, so ties don't flip. Totals only grow, so the highest one so
  far is that of the favourite, and no value need be carried from day to day.

  relation: a CTE with customer_id; value, weight (>= 0) and day: expressions over it.
-#}
{% macro favourite(relation, value, weight, day) -%}
    select
        customer_id,
        date_day,
        max_by(value, weight_so_far) as favourite
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
                {{ day }} as date_day,
                {{ value }} as value,
                sum({{ weight }}) over (partition by customer_id, {{ value }} order by {{ day }}) as weight_so_far
            from {{ relation }}
            where {{ value }} is not null
        ) as running
    ) as compared
    where weight_so_far > coalesce(highest_before, -1)
    group by customer_id, date_day
{%- endmacro %}
