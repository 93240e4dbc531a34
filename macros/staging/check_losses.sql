{#-
  How much of an input is rejected. accepted: where the rows that are used are counted (counted_in); checked: its checked_
  model. An amount that is itself what is wrong says nothing of what is lost.
-#}
{% macro input_counts(input, accepted, checked) %}
    {%- set has_amount = 'amount' in input_contract()[input]['columns'] -%}
select
    accepted.rows_accepted,
    accepted.amount_accepted,
    rejected.rows_rejected,
    rejected.amount_rejected,
    rejected.rows_lost,
    rejected.amount_lost,
    rejected.rows_without_amount
from (
    select
        cast(coalesce({{ counted_in(input).rows }}, 0) as bigint) as rows_accepted,
        cast({{ 'sum(amount)' if has_amount else 'null' }} as decimal(18, 2)) as amount_accepted
    from {{ accepted }}
    where {{ counted_in(input).where or 'true' }}
) as accepted
cross join (
    select
        count(*) as rows_rejected,
        cast(sum(amount) as decimal(18, 2)) as amount_rejected,
        sum(is_lost) as rows_lost,
        cast(sum(case when is_lost = 1 then amount end) as decimal(18, 2)) as amount_lost,
        sum(case when is_lost = 1 and amount is null then 1 else 0 end) as rows_without_amount
    from (
        select
            case when {{ is_lost() }} then 1 else 0 end as is_lost,
            {{ 'case when amount between 0 and ' ~ var('max_amount') ~ ' then amount end' if has_amount else 'null' }} as amount
        from {{ checked }}
        where reasons is not null
    ) as read
) as rejected
{%- endmacro %}

{#- Of rejected rows, those that are a loss: no copies, and what lies after a date that somebody set was meant to stay out. -#}
{% macro is_lost() -%}
    {{ "(reasons not like 'copy:%'" ~ (" and (reasons not like 'after_as_of_date:%' or reasons like '%, %')" if var('as_of_date')) ~ ')' }}
{%- endmacro %}

{#- Where the rows of an input are counted that are used, and how: many rows are of use only in sum. -#}
{% macro counted_in(input) %}
    {%- if is_told_by_orders(input) and input != 'returns' -%}
        {{ return({'model': 'checked_' ~ input, 'rows': 'count(*)'}) }}
    {%- endif -%}
    {{ return({
        'orders': {'model': 'stg_orders', 'rows': 'sum(lines)' if rows_are_lines() else 'count(*)'},
        'returns': {'model': 'stg_returns', 'rows': 'count(*)', 'where': "told_by = 'returns'"},
        'events': {'model': 'visits', 'rows': 'sum(events)'},
        'order_items': {'model': 'category_months', 'rows': 'sum(lines)'},
    }.get(input, {'model': 'stg_' ~ input, 'rows': 'count(*)'})) }}
{% endmacro %}

{#-
  Called where the rows of an input that are used were counted: says how many were lost and why, and stops what comes after
  it where they are too many.
-#}
{% macro check_losses(input) %}
    {%- set checked, problems = ref('checked_' ~ input), ref('reject_problems') -%}
    {%- set orders = ref('input_orders') if input == 'orders' -%}
    {%- if execute -%}
        {%- set counts = dict(run_query(input_counts(input, this, checked)).rows[0].dict()) -%}
        {%- if input == 'orders' and counts.rows_accepted -%}{%- do check_order_ids(checked, orders) -%}{%- endif -%}
        {#- of an input of which nothing is left all is lost -#}
        {%- if not counts.rows_accepted -%}
            {%- do counts.update({'rows_lost': counts.rows_rejected, 'amount_lost': counts.amount_rejected}) -%}
        {%- endif -%}
        {%- set accepted, rejected = counts.rows_accepted, counts.rows_lost or 0 -%}
        {%- set share = rejected / ([accepted + rejected, 1] | max) -%}
        {%- set is_empty = input == 'orders' and accepted == 0 -%}
        {%- if is_empty and rejected == 0 -%}
            {%- do configuration_error('inputs.orders', 'has no rows: there is nothing to build from.') -%}
        {%- elif is_empty or share > var('fail_if_rejected') -%}
            {%- do configuration_error(
                'inputs.' ~ input, told_losses(input, counts, checked, problems)
                ~ ('\n  More than ' ~ percent(var('fail_if_rejected')) ~ ' (the variable fail_if_rejected) stop the build: mend'
                    ~ ' them, or raise the limit if the other rows are enough.' if not is_empty)
            ) -%}
        {%- elif share > var('warn_if_rejected') -%}
            {%- do exceptions.warn(
                'The input ' ~ input ~ ' ' ~ told_losses(input, counts, checked, problems)
                ~ '\n  All of these rows: marts.rejected_rows.'
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{#-
  Stops where an order id is not what it seems: rows that share one and differ in amount are lines, and one that several
  customers have is used again. Up to `fail_if_rejected` they may be mistakes.
-#}
{% macro check_order_ids(checked, orders) %}
    {%- set shared -%}
    {%- if rows_are_lines() %}
        select order_id, count(*) as row_count, count(distinct customer_id) as customers, count(distinct amount) as amounts
        from ({{ typed_rows('orders') }}) as typed
        where not is_return
    {%- else %}
        -- a row with problems of its own says nothing of the others
        select order_id, count(*) as row_count, count(distinct customer_id) as customers, count(distinct amount) as amounts
        from {{ checked }}
        where reasons is null or reasons like 'duplicate:%'
    {%- endif %}
        group by order_id
    {%- endset -%}
    {%- if not run_query('select 1 from ' ~ this ~ ' where customer_id is not null limit 1').rows -%}
        {%- do configuration_error('inputs.orders.columns.customer_id', 'is empty in all rows that could be used: nobody is known whose orders these are.') -%}
    {%- endif -%}
    {%- set is_told_apart = not has_key('orders') or 'updated_at' in mapped_columns('orders') -%}
    {%- if rows_are_lines() or not is_told_apart -%}
        {%- set found = run_query("
            select
                sum(case when customers > 1 then 1 else 0 end),
                sum(case when row_count > 1 and amounts > 1 then 1 else 0 end),
                min(case when customers > 1 then order_id end),
                min(case when row_count > 1 and amounts > 1 then order_id end),
                (select count(*) from " ~ this ~ " where status <> 'credit_note')
            from (" ~ shared ~ ') as shared'
        ).rows[0] -%}
        {%- set used_again, differing, orders_kept = found[0] or 0, found[1] or 0, found[4] or 0 -%}
        {%- set most = var('fail_if_rejected') * orders_kept -%}
        {%- set place = 'inputs.orders' -%}
        {%- if used_again > most -%}
            {%- do configuration_error(place ~ '.columns.order_id', 'is used again: ' ~ '{:,}'.format(used_again) ~ ' of ' ~ '{:,}'.format(orders_kept)
                ~ " order ids have rows of several customers, such as '" ~ found[2] ~ "'. Add what makes it one of a kind, such as"
                ~ "\n  order_id: concat_ws('-', store, receipt)") -%}
        {%- elif not rows_are_lines() and differing > most -%}
            {%- do configuration_error(place, 'has rows that share an order id and differ in amount: ' ~ '{:,}'.format(differing) ~ ' of '
                ~ '{:,}'.format(orders_kept) ~ " order ids, such as '" ~ found[3] ~ "'. These look like lines: if each row is a line of an order, say so, and amounts are summed:"
                ~ '\n  orders:\n    grain: line'
                ~ '\n  If they are versions of an order, map updated_at: the latest one is taken.') -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{#- How many rows and how much money were lost, and the three most frequent reasons with a row and what to do. -#}
{% macro told_losses(input, counts, checked, problems) %}
    {%- set rejected, amount, unread = counts.rows_lost, counts.amount_lost, counts.rows_without_amount -%}
    {%- set rows_in = counts.rows_accepted + rejected -%}
    {%- set left_out = counts.rows_rejected - rejected -%}
    {%- set said = ['has ' ~ counted_rows(rows_in) ~ (' (not counting ' ~ '{:,}'.format(left_out) ~ (' copies and rows after as_of_date)' if var('as_of_date') else ' copies)') if left_out > 0) ~ ', and '] -%}
    {%- if rejected == rows_in -%}
        {%- do said.append('all of them are rejected' if rejected > 1 else 'it is rejected') -%}
    {%- else -%}
        {%- do said.append('{:,}'.format(rejected) ~ ' of them (' ~ percent(rejected / rows_in) ~ ') ' ~ ('are' if rejected > 1 else 'is') ~ ' rejected') -%}
    {%- endif -%}
    {%- if amount is not none -%}
        {%- set all_amounts = amount + (counts.amount_accepted or 0) -%}
        {%- do said.append(', with ' ~ var('currency') ~ ' ' ~ '{:,.0f}'.format(amount)
            ~ (' (' ~ percent(amount / all_amounts) ~ ' of the amount)' if all_amounts else '')
            ~ (', without ' ~ counted_rows(unread) ~ ' of an amount that can\'t be read' if unread else '')) -%}
    {%- elif 'amount' in input_contract()[input]['columns'] -%}
        {%- do said.append('; their amount can\'t be read') -%}
    {%- endif -%}
    {%- set has_advice = load_relation(problems) is not none -%}
    {%- set reasons -%}
select
    reasons.reason,
    count(*) as rejected,
    min(reasons.row_json) as example,
    {{ 'min(problems.what_to_do)' if has_advice else 'null' }} as what_to_do
from (
    select
        trim({{ split_to_rows('reasons', ',') }}) as reason,
        row_json
    from {{ checked }}
    where
        reasons is not null
        and {{ is_lost() if counts.rows_accepted else 'true' }}
) as reasons
{%- if has_advice %}
left join {{ problems }} as problems on reasons.reason like concat(problems.problem, ':%')
{%- endif %}
group by reasons.reason
order by rejected desc, reason
limit 3
    {%- endset -%}
    {%- for reason, count, example, what_to_do in run_query(reasons).rows -%}
        {%- do said.append(
            (':' if loop.first) ~ '\n  ' ~ counted_rows(count) ~ ': ' ~ reason
            ~ ', such as ' ~ example[:200] ~ (' …' if example | length > 200) ~ mend_of(input, reason, what_to_do)
        ) -%}
    {%- endfor -%}
    {{ return(said | join) }}
{% endmacro %}

{#- What to do about a reason; how a value is converted depends on the type of its column. -#}
{% macro mend_of(input, reason, what_to_do) %}
    {%- set column = input_contract()[input]['columns'].get(reason.split(':')[-1], {}) -%}
    {%- set converted = {
        'decimal': "if all rows have decimal commas: try_cast(replace(replace(x, '.', ''), ',', '.') as decimal(18, 4)) for 1.234,56",
        'date': "31.12.2025 is try_strptime(x, '%d.%m.%Y'), 12/31/25 is try_strptime(x, '%m/%d/%y')",
        'timestamp': "31.12.2025 08:26 is try_strptime(x, '%d.%m.%Y %H:%M'), 12/31/25 8:26 is try_strptime(x, '%m/%d/%y %H:%M')",
    } -%}
    {%- if reason.startswith('wrong_type:') and column.type in converted -%}
        {{ return('\n    Convert it in `columns`; ' ~ converted[column.type] ~ '.') }}
    {%- endif -%}
    {{ return('\n    ' ~ what_to_do ~ '.' if what_to_do else '') }}
{% endmacro %}

{#- A number of rows, and a share, as people read them. -#}
{% macro counted_rows(count) %}{{ return('{:,}'.format(count) ~ (' row' if count == 1 else ' rows')) }}{% endmacro %}

{% macro percent(share) %}{{ return('%.1f' | format(100 * share) ~ ' %') }}{% endmacro %}
