{#- What can be wrong in the variables, said before anything is built. Called at the start of every run. -#}
{% macro check_configuration() %}
    {%- if execute -%}
        {%- if flags.EMPTY -%}
            {%- do exceptions.raise_compiler_error(
                'Leave --empty out: which dates are computed follows from the rows of the inputs, and tables without rows would take'
                ~ ' the place of those that are built. To check the SQL without building anything: dbt compile.'
            ) -%}
        {%- endif -%}
        {%- do check_input_mappings() -%}
        {%- if not var('segmentations') -%}
            {%- do configuration_error('segmentations', 'is empty; name at least one, such as rfm.') -%}
        {%- endif -%}
        {%- do check_features() -%}
        {%- do check_segmentations() -%}
        {%- set months = var('history_months') -%}
        {%- if months is not integer or months < 1 or months > 120 -%}
            {%- do configuration_error('history_months', 'is ' ~ months ~ '; it must be a whole number from 1 to 120.') -%}
        {%- endif -%}
        {%- if var('currency') is not string or not var('currency') | trim -%}
            {%- do configuration_error('currency', 'is ' ~ var('currency') ~ '; it must be one text, such as EUR: amounts are never converted.') -%}
        {%- endif -%}
        {%- if var('time_zone') is not string or var('time_zone') not in modules.pytz.all_timezones -%}
            {%- do configuration_error('time_zone', "is '" ~ var('time_zone') ~ "', which is no time zone; write it as Asia/Seoul or Europe/Berlin.") -%}
        {%- endif -%}
        {%- if var('max_amount') is not number or var('max_amount') <= 0 -%}
            {%- do configuration_error('max_amount', 'is ' ~ var('max_amount') ~ '; it must be a number above 0.') -%}
        {%- endif -%}
        {%- set warned, most = var('warn_if_rejected'), var('fail_if_rejected') -%}
        {%- for name, share in {'warn_if_rejected': warned, 'fail_if_rejected': most}.items() -%}
            {%- if share is not number or share is boolean or not 0 <= share <= 1 -%}
                {%- do configuration_error(name, 'is ' ~ share ~ '; it must be a number from 0 to 1, such as 0.2 for 20 % of the rows of an input.') -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if warned > most -%}
            {%- do configuration_error('warn_if_rejected', 'is ' ~ warned ~ ', and fail_if_rejected is ' ~ most ~ ': a build that fails has no time to warn. Let it be the smaller of the two.') -%}
        {%- endif -%}
        {%- if var('as_of_date') and not is_date(var('as_of_date') | string) -%}
            {%- do configuration_error('as_of_date', "is '" ~ var('as_of_date') ~ "'; write it as 2026-06-30, or leave it empty for the last day with an order that counts or an event.") -%}
        {%- endif -%}
        {%- set choices = {
            'refit_every_months': [1, 2, 3, 4, 6, 12],
            'cluster_method': ['kmeans', 'gaussian_mixture'],
            'lifetime_model': ['bg_nbd', 'pareto_nbd'],
        } -%}
        {%- for name, values in choices.items() if var(name) not in values -%}
            {%- do configuration_error(name, 'is ' ~ var(name) ~ '; it must be one of ' ~ values | join(', ') ~ '.') -%}
        {%- endfor -%}
        {%- for name, most in {'next_order_days': 366, 'churn_days': 366, 'value_horizon_days': 3660}.items() -%}
            {%- if var(name) is not integer or var(name) is boolean or not 1 <= var(name) <= most -%}
                {%- do configuration_error(name, 'is ' ~ var(name) ~ '; it must be a whole number from 1 to ' ~ most ~ '.') -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if var('discount_rate') is not number or not 0 <= var('discount_rate') <= 1 -%}
            {%- do configuration_error('discount_rate', 'is ' ~ var('discount_rate') ~ '; it must be a number from 0 to 1, such as 0.1 for 10 % a year.') -%}
        {%- endif -%}
        {%- if var('core_share') is not number or not 0 < var('core_share') < 1 -%}
            {%- do configuration_error('core_share', 'is ' ~ var('core_share') ~ '; it must be a number between 0 and 1, such as 0.8 for 80 %.') -%}
        {%- endif -%}
        {%- for metric, cutoffs in (var('rfm_cutoffs') or {}).items() -%}
            {%- if metric not in rfm_metrics() -%}
                {%- do configuration_error('rfm_cutoffs', "has '" ~ metric ~ "'; the metrics are " ~ rfm_metrics().keys() | join(', ') ~ '.') -%}
            {%- elif cutoffs is string or cutoffs is not iterable or cutoffs | length != 4 or cutoffs | reject('number') | list or cutoffs | sort != cutoffs | list -%}
                {%- do configuration_error('rfm_cutoffs', 'has ' ~ cutoffs ~ ' for ' ~ metric ~ '; it must be four ascending numbers.') -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro check_input_mappings() %}
    {%- set contract = input_contract() -%}
    {%- set mappings = var('inputs') or {} -%}
    {%- if 'orders' not in mappings -%}
        {%- do configuration_error('inputs', "has no 'orders', the one input that is required: say where it is, such as `orders: {file: data/orders.csv}`.") -%}
    {%- endif -%}
    {%- set is_demo = ((mappings.orders or {}).file or '').startswith('seeds/demo/') -%}
    {%- if target.profile_name == project_name == 'customer_segmentation' and not is_demo and var('database', 'demo') == 'demo' -%}
        {%- do configuration_error('database', "must name a database of your own, such as `database: mine`: build/demo.duckdb holds the demo's history.") -%}
    {%- endif -%}
    {%- for input, mapping in mappings.items() -%}
        {%- if input not in contract -%}
            {%- do configuration_error('inputs', "has '" ~ input ~ "', which is not an input; those are " ~ contract.keys() | join(', ') ~ '.') -%}
        {%- endif -%}
        {%- set place = 'inputs.' ~ input -%}
        {%- set kinds = ['file', 'table', 'model', 'query'] | select('in', mapping or {}) | list -%}
        {%- if kinds | length != 1 -%}
            {%- do configuration_error(place, 'must have exactly one of file, table, model, query; it has ' ~ (kinds | join(', ') or 'none') ~ '.') -%}
        {%- endif -%}
        {%- do check_how_it_is_read(input, mapping) -%}
        {%- for column in mapping.columns or {} if column not in contract[input]['columns'] -%}
            {%- do configuration_error(place ~ '.columns', "has '" ~ column ~ "', which is not a column of the contract; those are " ~ contract[input]['columns'].keys() | join(', ') ~ '.') -%}
        {%- endfor -%}
        {%- do looking_at(place) -%}
        {%- if mapping.file is defined -%}{%- do check_file_kind(place ~ '.file', mapping.file) -%}{%- endif -%}
        {%- if mapping.file is defined and count_files(absolute_path(mapping.file)) == 0 -%}
            {%- do configuration_error(place ~ '.file', "is '" ~ mapping.file ~ "', and there is no such file (looked for " ~ absolute_path(mapping.file) ~ ").") -%}
        {%- endif -%}
        {%- if mapping.file is defined -%}
            {%- set problems = file_problems(readable_files(input)) -%}
            {%- if problems -%}
                {%- do configuration_error(place ~ '.file', 'names what can\'t be read:\n  ' ~ problems[:10] | join('\n  ') ~ ('\n  and ' ~ (problems | length - 10) ~ ' more files' if problems | length > 10 else '')) -%}
            {%- endif -%}
        {%- endif -%}
        {%- if mapping.model is not defined -%}
            {%- set mapped = mapped_columns(input) -%}
            {%- do check_expressions(input, mapped, mapping.where) -%}
            {%- do check_mapped_types(input, mapped) -%}
            {%- if input == 'orders' and not run_query('select 1 from ' ~ input_source('orders') ~ ' as source where ' ~ input_condition(input) ~ ' limit 1').rows -%}
                {%- do configuration_error(place, 'has no rows: there is nothing to build from. Look at what ' ~ mapping[kinds[0]] | string | trim ~ ' holds' ~ (' where ' ~ mapping.where | trim if mapping.where) ~ '.') -%}
            {%- elif input == 'orders' and rows_that_return() and rows_that_return() != 'negative' -%}
                {%- do looking_at(place ~ '.returns') -%}
                {%- do run_query('select 1 from ' ~ input_source('orders') ~ ' as source where\n' ~ rows_that_return() ~ '\nlimit 0') -%}
                {%- do looking_at(place) -%}
            {%- elif input == 'returns' and mappings.orders.model is not defined and 'returned_amount' in mapped_columns('orders') -%}
                {%- do configuration_error('inputs.orders.columns.returned_amount', 'is there beside the input returns: the same money would count twice. Leave returns out, or write `returned_amount: (null)`.') -%}
            {%- elif input == 'order_items' and mappings.orders.model is not defined and 'order_id' not in mapped_columns('orders') -%}
                {%- do configuration_error('inputs.orders.columns.order_id', 'is needed to tell which order an item belongs to: name the column, or leave order_items out.') -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{#- What a mapping says beside its source and its columns. -#}
{% macro check_how_it_is_read(input, mapping) %}
    {%- set place = 'inputs.' ~ input -%}
    {%- set keys = ['file', 'table', 'model', 'query', 'columns', 'where', 'loaded_at', 'encoding', 'dates', 'decimal']
        + ({'orders': ['grain', 'returns'], 'customers': ['attributes']}.get(input) or []) -%}
    {%- for key in mapping if key not in keys -%}
        {%- do configuration_error(place, "has the unknown key '" ~ key ~ "'" ~ hint(key, keys)) -%}
    {%- endfor -%}
    {%- if (mapping.grain or 'order') not in ('order', 'line') -%}
        {%- do configuration_error(place ~ '.grain', "is '" ~ mapping.grain ~ "'; a row is an `order` (as without it) or a `line` of one.") -%}
    {%- endif -%}
    {%- if mapping.returns is defined and (mapping.returns is not string or not mapping.returns | trim) -%}
        {%- do configuration_error(place ~ '.returns', "is '" ~ mapping.returns ~ "'; write `negative`, or a condition such as InvoiceNo like 'C%'.") -%}
    {%- endif -%}
    {%- if mapping.encoding is defined and mapping.file is not defined -%}
        {%- do configuration_error(place ~ '.encoding', 'is for CSV files alone, and there is no `file:`.') -%}
    {%- endif -%}
    {%- for form in ([mapping.dates] if mapping.dates is string else mapping.dates or []) if not is_date_form(form) -%}
        {%- do configuration_error(place ~ '.dates', "has '" ~ form ~ "'; write the form with d, m and y, such as dd.mm.yyyy, m/d/yy or yyyymmdd, or a list of such forms. A time of day may follow.") -%}
    {%- endfor -%}
    {%- if mapping.decimal is defined and mapping.decimal not in (',', '.') -%}
        {%- do configuration_error(place ~ '.decimal', "is '" ~ mapping.decimal ~ "'; it is the decimal mark, ',' or '.', in quotes.") -%}
    {%- endif -%}
    {%- for name, type in (mapping.attributes or {}).items() -%}
        {%- set problems = name_problems(name, 'the attribute') -%}
        {%- if not input_contract()['customers']['columns'][name].own or name in documented_columns('features_rfm') or name in var('segmentations') -%}
            {%- do problems.append("it can't be called '" ~ name ~ "': there is a column or a segmentation of that name") -%}
        {%- endif -%}
        {%- if type not in ('text', 'number', 'integer', 'boolean', 'date') -%}
            {%- do problems.append("its type is '" ~ type ~ "'; it is one of text, number, integer, boolean, date") -%}
        {%- endif -%}
        {%- if problems -%}{%- do configuration_error(place ~ '.attributes.' ~ name, "can't be used:\n  - " ~ problems | join('\n  - ')) -%}{%- endif -%}
    {%- endfor -%}
    {%- if input == 'order_items' and rows_are_lines() -%}
        {%- do configuration_error(place, 'is there beside `grain: line` of orders, whose rows are the items already: leave one of them out.') -%}
    {%- endif -%}
{% endmacro %}

{#- Of files of a kind that is not read as it is, say how it is read. -#}
{% macro check_file_kind(place, file) %}
    {%- set ending = modules.re.sub('[.](gz|zst)$', '', file | lower).split('.')[-1] -%}
    {%- if ending in ('json', 'jsonl', 'ndjson') -%}
        {%- do configuration_error(place, "is '" ~ file ~ "': CSV and Parquet are read as they are. Instead of file: write query: select * from read_json('" ~ file ~ "')") -%}
    {%- elif ending in ('xlsx', 'xls', 'ods') -%}
        {%- do configuration_error(place, "is '" ~ file ~ "', a workbook: save its sheet as \"CSV UTF-8\" and name that file.") -%}
    {%- endif -%}
{% endmacro %}

{#- Tries every expression by itself, so that a mistake is known by its place. -#}
{% macro check_expressions(input, mapped, where) %}
    {%- set source = input_source(input) -%}
    {%- for name, expression in mapped.items() if not modules.re.match('^"[^"]+"$', expression) -%}
        {%- do looking_at(place_of_column(input, name)) -%}
        {%- do run_query('select\n' ~ expression ~ '\nas ' ~ name ~ '\nfrom ' ~ source ~ ' as source limit 0') -%}
    {%- endfor -%}
    {%- if where -%}
        {%- do looking_at('inputs.' ~ input ~ '.where') -%}
        {%- do run_query('select 1 from ' ~ source ~ ' as source where\n' ~ where ~ '\nlimit 0') -%}
    {%- endif -%}
    {%- do looking_at('inputs.' ~ input) -%}
{% endmacro %}

{#- The command `segmentation` says this place when the engine finds a mistake there; see messages.py. -#}
{% macro looking_at(place) %}{%- do log('Looking at ' ~ place) -%}{% endmacro %}

{#- Types that would be misread without a word. -#}
{% macro check_mapped_types(input, mapped) %}
    {%- for name, type in mapped_types(input, mapped).items() -%}
        {%- set place = place_of_column(input, name) -%}
        {%- if type.endswith('with time zone') -%}
            {%- do configuration_error(place, 'is of the type ' ~ type ~ '. Times are local here: say which clock is meant, such as ' ~ name ~ ": timezone('" ~ var('time_zone') ~ "', " ~ mapped[name] ~ ')') -%}
        {%- elif type.endswith(']') or type.startswith(('struct', 'map', 'union', 'array')) -%}
            {%- do configuration_error(place, 'is of the type ' ~ type ~ ', which holds several values: name one of them, such as ' ~ name ~ ': ' ~ mapped[name] ~ ('[1]' if type.endswith(']') else '.value')) -%}
        {%- elif type in ('blob', 'binary') -%}
            {%- do configuration_error(place, 'is of the type ' ~ type ~ ': say that it is text, with ' ~ name ~ ': decode(' ~ mapped[name] ~ ')') -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{#- Whether a text is a day that was or will be, written as 2026-06-30. -#}
{% macro is_date(text) %}
    {%- set is_written_so = modules.re.match('^\\d{4}-\\d{2}-\\d{2}$', text) -%}
    {{ return(is_written_so and run_query("select try_cast('" ~ text ~ "' as date)").rows[0][0] is not none) }}
{% endmacro %}

{% macro configuration_error(place, message) %}
    {%- do exceptions.raise_compiler_error(
        'The variable ' ~ place ~ ' ' ~ message ~ '\n  It is set in dbt_project.yml or in the vars file that you gave; see docs/your_own_data.md.'
    ) -%}
{% endmacro %}
