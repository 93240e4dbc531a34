{#- What the judgement of segmentations is made from: docs/decisions/validity.md. -#}

{#- Length of the window in which the next period's orders are counted. -#}
{% macro outcome_days() %}{{ return(90) }}{% endmacro %}

{#- SQL for a customer's place: the segment; of overlapping ones also '' for who is looked at and in none of them. -#}
{% macro place_expression(definition) -%}
    {%- if definition.assignment == 'all_matches' -%}
    case when {{ null_if_undefined(definition.population or 'true') }} then coalesce({{ segment_expression(definition) }}, '') end
    {%- else -%}
    {{ segment_expression(definition) }}
    {%- endif -%}
{%- endmacro %}

{#-
  SQL for whether what is known of a customer decides the place: 'yes', or 'no' where a condition that came into play
  was neither true nor false; null outside of the population. Overlapping segments are told one by one: the names of
  those whose condition can't be told, between bars.
-#}
{% macro known_expression(definition) -%}
    {%- set population = null_if_undefined(definition.population or 'true') -%}
    {%- if definition.assignment == 'all_matches' -%}
    case when {{ population }} then concat_ws('|'
        {%- for segment in segments_in_use(definition) %},
        case when ({{ null_if_undefined(segment.when) }}) is null then '{{ segment.name }}' end
        {%- endfor %}
    ) end
    {%- elif definition.assignment == 'learned' -%}
    case when {{ population }} then case when {{ definition.column }} is not null then 'yes' else 'no' end end
    {%- else -%}
    case
        when ({{ population }}) is null then 'no'
        when not ({{ population }}) then null
        {%- for segment in segments_in_use(definition) %}
        when {{ null_if_undefined(segment.when) }} then 'yes'
        when ({{ null_if_undefined(segment.when) }}) is null then 'no'
        {%- endfor %}
        else 'yes'
    end
    {%- endif -%}
{%- endmacro %}

{#- [(segmentation, column, population)] of the columns that decide who is where. -#}
{% macro condition_inputs(definitions) %}
    {%- set inputs = [] -%}
    {%- for definition in definitions -%}
        {%- set used = [definition.column] if definition.assignment == 'learned' else [] -%}
        {%- for segment in segments_in_use(definition) -%}{%- do used.extend(segment.columns) -%}{%- endfor -%}
        {%- for column in used | unique -%}
            {%- do inputs.append((definition.name, column, null_if_undefined(definition.population or 'true'))) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(inputs) }}
{% endmacro %}

{#- What a judgement rests on: the definitions as they are written, and the last closed date. -#}
{% macro judged_with() %}
    {%- if not execute or is_unit_test() or flags.WHICH not in ('run', 'build') -%}{{ return('') }}{%- endif -%}
    {%- set written = ['criteria, claims, revenue of the chain', run_query('select max(as_of_date) from ' ~ built_model('as_of_dates') ~ ' where not is_latest').rows[0][0]] -%}
    {%- for name in var('segmentations') -%}
        {%- do written.append([segmentation_as_written(name), segmentation_definition(name).version]) -%}
    {%- endfor -%}
    {{ return(local_md5(written | string)[:8]) }}
{% endmacro %}

{#- Whether there is no judgement yet that rests on these. -#}
{% macro judgement_is_due() %}
    {%- if not execute or is_unit_test() or flags.WHICH not in ('run', 'build') or flags.FULL_REFRESH -%}{{ return(true) }}{%- endif -%}
    {%- set model = built_model('segment_judgements') -%}
    {%- set stored = adapter.get_relation(model.database, model.schema, model.identifier) -%}
    {%- if stored is none or 'judged_with' not in adapter.get_columns_in_relation(stored) | map(attribute='name') -%}{{ return(true) }}{%- endif -%}
    {{ return(run_query("select 1 from " ~ stored ~ " where judged_with = '" ~ judged_with() ~ "' limit 1").rows | length == 0) }}
{% endmacro %}
