{#-
  No two rows have the same values in these columns, and none of them is empty. With last_dates: on the last so many
  as-of dates, for views that would put all dates together to be tested.
-#}
{% test unique_together(model, columns, last_dates=none) %}
select
    {{ columns | join(', ') }},
    count(*) as copies
from {{ model }}
{%- if last_dates and execute and flags.WHICH in ('build', 'test') %}
where as_of_date in ('{{ customer_segmentation.grid_dates()[-last_dates:] | join("', '") }}')
{%- endif %}
group by {{ columns | join(', ') }}
having count(*) > 1 or {% for column in columns %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
