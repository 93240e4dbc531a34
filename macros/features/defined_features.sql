{#-
  Features that somebody defines in the variable `features`, such as
  {makeup_orders_60d: {count: orders, where: "category = 'Make-up'", days: 60}}. docs/guides/add_a_feature.md

  A definition says one thing to measure, `of` which rows, `where`, and within how many `days` up to the as-of date.
-#}
{% macro defined_features() %}{{ return(var('features', {}) or {}) }}{% endmacro %}

{#-
  The rows that can be measured. needs: the input; day: when it was; columns: what a condition may use, and what of it
  comes from products; nouns: what `count` calls such rows, what `days_since` calls one of them, and the type of event.
-#}
{% macro feature_sources() %}
{%- set sources -%}
orders:
  model: stg_orders
  day: ordered_on
  columns: [order_id, channel, status, amount, discount_amount, cost_amount]
  nouns: [[orders, order]]
order_items:
  model: stg_order_items
  needs: order_items
  day: ordered_on
  columns: [order_id, channel, product_id, amount, discount_amount, quantity]
  of_products: [product_name, category, brand]
  nouns: [[order_items, order_item]]
events:
  model: stg_events
  needs: events
  day: occurred_on
  columns: [event_type, visit_id, product_id, device, channel]
  of_products: [product_name, category, brand]
  nouns:
    - [events, event]
    - [views, view, view]
    - [searches, search, search]
    - [carts, cart, add_to_cart]
    - [checkouts, checkout, checkout]
    - [purchases, purchase, purchase]
visits:
  model: visits
  needs: events
  day: occurred_on
  columns: [visit_id, device, events, views, searches]
  nouns: [[visits, visit]]
returns:
  model: stg_returns
  needs: returns
  day: returned_on
  columns: [order_id, product_id, amount]
  nouns: [[returns, return]]
{%- endset -%}
{{ return(fromyaml(sources)) }}
{% endmacro %}

{% macro feature_measures() %}{{ return(['count', 'distinct', 'sum', 'min', 'max', 'days_since', 'days_since_first']) }}{% endmacro %}

{#- {what one measure calls rows: (their source, the type of event or none)}. -#}
{% macro feature_nouns(measure) %}
    {%- set nouns = {} -%}
    {%- for source, rules in feature_sources().items() if measure in ('count', 'days_since', 'days_since_first') -%}
        {%- for noun in rules.nouns -%}
            {%- do nouns.update({noun[0 if measure == 'count' else 1]: (source, noun[2] if noun | length > 2 else none)}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(nouns) }}
{% endmacro %}

{#-
  A definition as SQL needs it: measure, source, condition, days, the column that is measured and what it needs. An order
  is looked at by its items where the condition asks for what only these have.
-#}
{% macro resolved_feature(written) %}
    {%- set measure = feature_measures() | select('in', written) | first -%}
    {%- set sources = feature_sources() -%}
    {%- set source, kind = feature_nouns(measure).get(written[measure]) or (written.get('of'), none) -%}
    {%- set is_column = measure in ('distinct', 'sum', 'min', 'max') -%}
    {%- set where = written.get('where') or '' -%}
    {%- set tokens = condition_tokens(where) -%}
    {%- set of_items = sources.order_items['columns'] + sources.order_items.of_products -%}
    {%- set asks_items = source == 'orders' and tokens | select('in', of_items) | reject('in', sources.orders['columns']) | list != [] -%}
    {%- set source = 'order_items' if asks_items else source -%}
    {%- set rules = sources[source] or {} -%}
    {%- set used = tokens + ([written[measure]] if is_column else []) -%}
    {%- set needs = [rules.needs] if rules.needs else [] -%}
    {%- for column in (rules.of_products or []) if column in used -%}{%- do needs.append('products.' ~ column) -%}{%- endfor -%}
    {{ return({
        'measure': measure,
        'column': written[measure] if is_column else 'order_id' if asks_items and measure == 'count' else none,
        'source': source,
        'where': where,
        'kind': kind,
        'days': written.get('days'),
        'needs': needs | join(' and ') or none,
        'uses_products': 'products.' in needs | join(' '),
    }) }}
{% endmacro %}

{#- {name: definition as SQL needs it} of those that can be read: `check_features` stops the run where one can't. -#}
{% macro readable_features() %}
    {%- set features = {} -%}
    {%- for name, written in defined_features().items() if written is mapping and feature_measures() | select('in', written) | list -%}
        {%- set feature = resolved_feature(written) -%}
        {%- if feature.source in feature_sources() -%}{%- do features.update({name: feature}) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(features) }}
{% endmacro %}

{#- SQL for one feature over rows of its source, each with the as-of date on which it is looked at. -#}
{% macro feature_expression(feature) -%}
    {%- set rules = feature_sources()[feature.source] -%}
    {%- set conditions = [] -%}
    {%- if feature.kind -%}{%- do conditions.append("event_type = '" ~ feature.kind ~ "'") -%}{%- endif -%}
    {%- if feature.where -%}{%- do conditions.append('(' ~ null_if_undefined(feature.where) ~ ')') -%}{%- endif -%}
    {%- if feature.days -%}
        {%- do conditions.append(rules.day ~ ' > cast(' ~ dbt.dateadd('day', -feature.days, 'as_of_date') ~ ' as date)') -%}
    {%- endif -%}
    {%- set value = {'count': feature['column'] or '1', 'days_since': rules.day, 'days_since_first': rules.day}.get(feature.measure, feature['column']) -%}
    {%- set counted = 'case when ' ~ (conditions | join(' and ') or 'true') ~ ' then ' ~ value ~ ' end' -%}
    {%- if feature.measure == 'count' -%}cast(count({{ 'distinct ' if feature['column'] }}{{ counted }}) as integer)
    {%- elif feature.measure == 'distinct' -%}cast(count(distinct {{ counted }}) as integer)
    {%- elif feature.measure == 'days_since' -%}cast({{ dbt.datediff('max(' ~ counted ~ ')', 'as_of_date', 'day') }} as integer)
    {%- elif feature.measure == 'days_since_first' -%}cast({{ dbt.datediff('min(' ~ counted ~ ')', 'as_of_date', 'day') }} as integer)
    {%- elif feature.measure == 'sum' -%}cast(sum({{ counted }}) as decimal(18, 4))
    {%- else -%}{{ feature.measure }}({{ counted }})
    {%- endif -%}
{%- endmacro %}

{#- What a feature is where no row counts: nothing was done, if anybody tells of it, so counts and sums are 0. -#}
{% macro feature_default(feature) %}
    {%- set lacking = inputs_lacking(['it'], {'it': feature.needs}) if execute and feature.needs else [] -%}
    {{ return('0' if feature.measure in ('count', 'distinct', 'sum') and not lacking else 'null') }}
{% endmacro %}

{#- Changes whenever a definition does. -#}
{% macro features_version() %}{{ return(local_md5(tojson(defined_features(), sort_keys=true))[:8]) }}{% endmacro %}

{#- Features are always by today's definitions: those of others are made again. -#}
{% macro forget_other_features() %}
    {%- if is_on_record() and 'features_version' in adapter.get_columns_in_relation(this) | map(attribute='name') -%}
delete from {{ this }} where features_version <> '{{ features_version() }}'
    {%- endif -%}
{% endmacro %}

{#- What is wrong with the definitions, said before anything is built. -#}
{% macro check_features() %}
    {%- set taken = [] -%}
    {%- for model_name in feature_models() + score_models() + learned_score_models() if model_name != 'features_defined' -%}
        {%- do taken.extend(documented_columns(model_name).keys()) -%}
    {%- endfor -%}
    {%- for name, written in defined_features().items() -%}
        {%- set problems = name_problems(name, 'the feature') -%}
        {%- if name in taken or name in var('segmentations') -%}
            {%- do problems.append("it can't be called '" ~ name ~ "': there is a column or a segmentation of that name") -%}
        {%- endif -%}
        {%- do problems.extend(feature_problems(written) if written is mapping else ['it must say what is measured, such as {count: orders, days: 60}']) -%}
        {%- if problems -%}
            {%- do configuration_error('features.' ~ name, "can't be used:\n  - " ~ problems | unique | join('\n  - ')) -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{% macro feature_problems(written) %}
    {%- set measures, sources = feature_measures(), feature_sources() -%}
    {%- set keys = measures + ['of', 'where', 'days'] -%}
    {%- set problems = [] -%}
    {%- for key in written if key not in keys -%}{%- do problems.append("there is no key '" ~ key ~ "'" ~ hint(key, keys)) -%}{%- endfor -%}
    {%- set measured = measures | select('in', written) | list -%}
    {%- if measured | length != 1 -%}
        {{ return(problems + ['it must say one thing that is measured, one of ' ~ measures | join(', ') ~ '; it says ' ~ (measured | join(', ') or 'none')]) }}
    {%- endif -%}
    {%- set measure, value = measured[0], written[measured[0]] -%}
    {%- if written.of and written.of not in sources -%}
        {{ return(problems + ["`of` is '" ~ written.of ~ "'" ~ hint(written.of, sources.keys() | list)]) }}
    {%- endif -%}
    {%- set nouns = feature_nouns(measure) -%}
    {%- if nouns -%}
        {%- if value not in nouns -%}
            {{ return(problems + ['`' ~ measure ~ "` is '" ~ value ~ "'" ~ hint(value | string, nouns.keys() | list)]) }}
        {%- elif written.of and written.of != nouns[value][0] -%}
            {%- do problems.append("`of` is '" ~ written.of ~ "', but '" ~ value ~ "' is of " ~ nouns[value][0] ~ ': leave `of` out') -%}
        {%- endif -%}
    {%- elif not written.of -%}
        {{ return(problems + ['`of` is missing: of which rows, one of ' ~ sources.keys() | join(', ')]) }}
    {%- endif -%}
    {%- set feature = resolved_feature(written) -%}
    {%- set columns = {} -%}
    {%- for column in sources[feature.source]['columns'] + (sources[feature.source].of_products or []) -%}{%- do columns.update({column: none}) -%}{%- endfor -%}
    {%- if not nouns and feature['column'] not in columns -%}
        {%- do problems.append("there is no column '" ~ feature['column'] ~ "' of " ~ feature.source ~ hint(feature['column'] | string, columns.keys() | list)) -%}
    {%- endif -%}
    {%- if written.where is defined -%}{%- do problems.extend(condition_problems(written.where, columns)) -%}{%- endif -%}
    {%- if written.days is defined and (written.days is not integer or written.days is boolean or not 1 <= written.days <= 3660) -%}
        {%- do problems.append('`days` is ' ~ written.days ~ '; it must be a whole number from 1 to 3660') -%}
    {%- endif -%}
    {{ return(problems) }}
{% endmacro %}
