{#-
  The checks of segment definitions that keep wrong SQL out: all that is wrong with one is said at once. What a right one
  means is looked at by customer_segmentation/definitions/check.py. docs/guides/add_a_segment.md lists all checks.
-#}

{#- What on-run-start calls: every definition in use, before anything is built. -#}
{% macro check_segmentations() %}
    {%- set names = var('segmentations') -%}
    {%- if execute -%}
        {%- do check_shared_conditions() -%}
        {%- for name in names -%}
            {%- if names.count(name) > 1 -%}{%- do configuration_error('segmentations', "names '" ~ name ~ "' twice.") -%}{%- endif -%}
            {%- do check_segmentation(name, segmentation_as_written(name), segmentation_columns()) -%}
        {%- endfor -%}
        {#- a project that uses this one as a package need not publish what comes along -#}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name.startswith('segments_') -%}
            {%- if node.name[9:] not in names and node.package_name == project_name -%}
                {%- do exceptions.warn(
                    node.original_file_path ~ " is not published. Add '" ~ node.name[9:]
                    ~ "' to the variable `segmentations` (dbt_project.yml, or the vars file you gave), or delete the model.") -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro check_segmentation(name, written, columns) %}
    {%- set problems = segmentation_problems(name, written, columns) -%}
    {%- if problems -%}
        {%- do exceptions.raise_compiler_error(
            definition_file(name) ~ ' can\'t be used:\n  - ' ~ problems | join('\n  - ')
            ~ '\n  How to write a definition: docs/guides/add_a_segment.md.') -%}
    {%- endif -%}
{% endmacro %}

{#- What is wrong with a definition, in words; empty if nothing. -#}
{% macro segmentation_problems(name, written, columns) %}
    {%- if written is not mapping or not written -%}
        {{ return(["there is no definition: it belongs under `config: meta: segmentation:` of the model segments_" ~ name]) }}
    {%- endif -%}
    {%- set language = definition_language() -%}
    {%- set is_learned = written.assignment == 'learned' -%}
    {%- set shared = shared_conditions() -%}
    {%- set problems = name_problems(name, 'the segmentation') -%}
    {%- if name in columns -%}
        {%- do problems.append("the segmentation can't be called '" ~ name ~ "': that is a column already") -%}
    {%- endif -%}
    {%- do problems.extend(entry_problems(written, language.segmentation)) -%}
    {%- if written.population -%}
        {%- for problem in condition_problems(written.population, dict(columns, **shared)) -%}{%- do problems.append('population: ' ~ problem) -%}{%- endfor -%}
    {%- endif -%}
    {%- if is_learned -%}
        {%- do problems.extend(learned_problems(written, columns)) -%}
    {%- else -%}
        {%- for key, rules in language.segmentation.items() if rules.only and written[key] -%}
            {%- do problems.append('`' ~ key ~ '` belongs to a learned segmentation: here conditions say who is where') -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set listed = written.segments if written.segments is iterable and written.segments is not string else [] -%}
    {%- if listed | reject('mapping') | list or not (listed or is_learned) -%}
        {{ return(problems + ['`segments` must be a list of segments, each with a name']) }}
    {%- endif -%}

    {%- set names = listed | map(attribute='name') | list -%}
    {%- set ranked = [] -%}
    {%- for segment in listed -%}
        {%- set where = "segment '" ~ segment.name ~ "': " if segment.name else 'segment ' ~ loop.index ~ ': ' -%}
        {%- set found = segment_problems(segment, written, language) -%}
        {%- if not is_learned -%}{%- do found.extend(rule_problems(name, segment, written, columns, shared)) -%}{%- endif -%}
        {%- for problem in found -%}{%- do problems.append(where ~ problem) -%}{%- endfor -%}
        {%- if segment.name in names[:loop.index0] -%}{%- do problems.append(where ~ 'there are two of this name') -%}{%- endif -%}
        {%- if segment.rank is defined -%}{%- do ranked.append(segment.name) -%}{%- endif -%}
    {%- endfor -%}
    {%- if written.otherwise and not is_learned and written.otherwise not in names -%}
        {%- do problems.append("`otherwise` is '" ~ written.otherwise ~ "', but no segment has this name" ~ hint(written.otherwise, names)) -%}
    {%- endif -%}
    {%- for unranked in names if ranked and unranked not in ranked -%}
        {%- do problems.append("segment '" ~ unranked ~ "': has no rank, but others have: give all segments one, or none") -%}
    {%- endfor -%}
    {{ return(problems) }}
{% endmacro %}

{#- A learned segmentation takes its segments from a column; the definition may name some of them better. -#}
{% macro learned_problems(written, columns) %}
    {%- set problems = ['`column` is missing'] if not written.column else [] -%}
    {%- for column in [written.column] + (written.evidence or []) if column and column not in columns -%}
        {%- do problems.append("there is no column '" ~ column ~ "'" ~ hint(column, columns)) -%}
    {%- endfor -%}
    {%- if written.otherwise -%}{%- do problems.append('`otherwise` belongs to conditions: a learned segmentation has none') -%}{%- endif -%}
    {{ return(problems) }}
{% endmacro %}

{#- What a segment is called, what is done for it, what is expected of it. -#}
{% macro segment_problems(segment, written, language) %}
    {%- set keys = {} -%}
    {%- for key, rules in language.segment.items() if rules.learned or written.assignment != 'learned' -%}
        {%- do keys.update({key: rules}) -%}
    {%- endfor -%}
    {%- set problems = name_problems(segment.name, 'it') if segment.name else [] -%}
    {%- do problems.extend(entry_problems(segment, keys)) -%}
    {%- set examples = {
        'label': '`label` must have an English and a Korean text: {en: …, ko: …}',
        'treatment': '`treatment` must say what is done: {objective: …, channel: …, offer: …}',
        'expect': '`expect` must be a claim, or a list of claims: {metric: …, versus: …, direction: …}',
        'deprecated': '`deprecated` must say until when, and what to use instead: {ends_on: 2027-03-31, use: …}',
    } -%}
    {%- for key, example in examples.items() if segment[key] -%}
        {%- set entries = segment[key] if language.segment[key].many and segment[key] is iterable
            and segment[key] is not mapping and segment[key] is not string else [segment[key]] -%}
        {%- for entry in entries -%}
            {%- do problems.extend(entry_problems(entry, language[key], key) if entry is mapping else [example]) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set names = (written.segments or []) | map(attribute='name') | list -%}
    {%- for claim in claims_of(segment) if claim is mapping and claim.versus and written.assignment != 'learned' -%}
        {%- if claim.versus == segment.name or claim.versus not in ['population'] + names -%}
            {%- do problems.append("expect: `versus` is '" ~ claim.versus ~ "': it must be population or another segment"
                ~ hint(claim.versus, ['population'] + names | reject('equalto', segment.name) | list)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if segment.min_share is number and segment.max_share is number and segment.min_share > segment.max_share -%}
        {%- do problems.append('`min_share` is ' ~ segment.min_share ~ ' and `max_share` is ' ~ segment.max_share ~ ': no share is both') -%}
    {%- endif -%}
    {{ return(problems) }}
{% endmacro %}

{#- What a segment expects, as a list. -#}
{% macro claims_of(segment) %}
    {%- set expected = segment.expect or [] -%}
    {{ return([expected] if expected is mapping else expected if expected is iterable and expected is not string else []) }}
{% endmacro %}

{#- Who is in a segment, and what takes its place. -#}
{% macro rule_problems(name, segment, written, columns, shared) %}
    {%- set problems = [] -%}
    {%- for key in ['when', 'extends'] if segment[key] is defined and segment.name and segment.name == written.otherwise -%}
        {%- do problems.append('it is `otherwise`, so it takes all that is left and must not have '
            ~ ('a `when`' if key == 'when' else '`extends`')) -%}
    {%- endfor -%}
    {%- if not problems and segment.when -%}
        {%- do problems.extend(condition_problems(segment.when, dict(columns, **shared))) -%}
    {%- elif not problems and not segment.extends and segment.name != written.otherwise -%}
        {%- do problems.append('it has no `when`: say who is in it, or name it in `otherwise`') -%}
    {%- endif -%}
    {%- if segment.extends -%}{%- do conditions_of(name, segment, written, shared, problems) -%}{%- endif -%}
    {%- if segment.deprecated is mapping and segment.deprecated.use and not is_unit_test() -%}
        {%- set place = segment_place(segment.deprecated.use, name, written) -%}
        {%- if place.problem -%}
            {%- do problems.append("deprecated: `use` is '" ~ segment.deprecated.use ~ "', but " ~ place.problem) -%}
        {%- elif place.segment == segment -%}
            {%- do problems.append('deprecated: `use` names the segment itself: say what takes its place, or leave `use` out') -%}
        {%- endif -%}
    {%- endif -%}
    {{ return(problems) }}
{% endmacro %}

{% macro name_problems(name, what) %}
    {%- if name is not string or not modules.re.match('^[a-z][a-z0-9_]*$', name) -%}
        {{ return([what ~ " can't be called '" ~ name ~ "': a name is made of a-z, 0-9 and _, and begins with a letter"]) }}
    {%- elif name in reserved_words() -%}
        {{ return([what ~ " can't be called '" ~ name ~ "': that is a word of SQL"]) }}
    {%- endif -%}
    {{ return([]) }}
{% endmacro %}

{#- A condition is a plain one over the columns: what it says follows from its row alone. -#}
{% macro condition_problems(condition, columns) %}
    {%- if condition is not string -%}
        {{ return(["the condition is not text: put it into quotes (" ~ condition ~ ")"]) }}
    {%- endif -%}
    {%- set without_texts = modules.re.sub("'(?:[^']|'')*'", "''", condition) -%}
    {%- set tokens = condition_tokens(condition) -%}
    {%- set keywords = condition_keywords() -%}
    {%- set functions = condition_functions() -%}
    {%- set problems = [] -%}
    {%- set at = namespace(depth=0, lowest=0) -%}
    {%- if '--' in without_texts or '/*' in without_texts -%}
        {%- do problems.append('the condition holds a comment: write it as a comment of the YAML file, with #') -%}
    {%- endif -%}
    {%- if without_texts.count("'") % 2 -%}{%- do problems.append("the condition has a text that doesn't end: a ' is missing") -%}{%- endif -%}
    {%- for token in tokens -%}
        {%- set before = tokens[loop.index0 - 1] if loop.index0 else '' -%}
        {%- set at.depth = at.depth + (1 if token == '(' else -1 if token == ')' else 0) -%}
        {%- set at.lowest = [at.lowest, at.depth] | min -%}
        {%- if modules.re.match('[a-z_]', token) -%}
            {%- if token in ['select', 'with', 'join', 'union', 'over', 'group', 'where', 'having', 'order', 'limit']
                or (token == 'from' and before != 'distinct') -%}
                {%- do problems.append("'" ~ token ~ "' doesn't belong to a condition: it may only compare columns of one row") -%}
            {%- elif loop.nextitem == '(' and token not in keywords + functions -%}
                {%- do problems.append("there is no function '" ~ token ~ "' for conditions" ~ hint(token, functions)) -%}
            {%- elif loop.nextitem != '(' and token not in keywords and token not in columns -%}
                {%- do problems.append("there is no column '" ~ token ~ "'" ~ hint(token, columns)) -%}
            {%- endif -%}
        {%- elif token in '"`' -%}
            {%- do problems.append('columns stand without quotes, and texts in single ones: ' ~ token ~ " doesn't belong to a condition") -%}
        {%- elif not modules.re.match("['0-9.]|[-+*/%(),=<>]$|[<>!]=$|<>$", token) -%}
            {%- do problems.append("'" ~ token ~ "' doesn't belong to a condition") -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if at.depth or at.lowest < 0 -%}{%- do problems.append("the condition has brackets that don't match") -%}{%- endif -%}
    {%- set here = ' (' ~ condition | trim ~ ')' -%}
    {%- set told = without_texts | replace("''", '@') | lower | trim -%}
    {%- for mend, pattern in condition_mistakes().items() if modules.re.search(pattern, told) -%}
        {%- do problems.append(mend ~ here) -%}
    {%- endfor -%}
    {%- for problem in misfits(condition, column_kinds()) -%}{%- do problems.append(problem ~ here) -%}{%- endfor -%}
    {#- what else is wrong is for the engine to say -#}
    {%- set error = syntax_error(condition) if not problems -%}
    {%- if error -%}{%- do problems.append("the condition can't be read: " ~ error ~ here) -%}{%- endif -%}
    {{ return(problems | unique | list) }}
{% endmacro %}

{#-
  {column: what its values are}, as far as it is known: from the contract of the mart `customers` and, once they were
  built, from the features themselves.
-#}
{% macro column_kinds() %}
    {%- set kinds = found_before('column_kinds') -%}
    {%- if kinds or not (execute and graph.nodes) -%}{{ return(kinds) }}{%- endif -%}
    {%- set mart = graph.nodes.get('model.customer_segmentation.customers') or {'columns': {}} -%}
    {%- set columns = mart['columns'].values() | list -%}
    {%- set features = load_relation(built_model('latest_features')) -%}
    {%- if features is not none -%}{%- do columns.extend(adapter.get_columns_in_relation(features)) -%}{%- endif -%}
    {%- for column in columns -%}
        {%- for kind, types in {
            'date': 'date|timestamp', 'truth value': 'bool', 'text': 'string|text|varchar|character|enum',
            'number': 'decimal|numeric|double|float|real|u?(tiny|small|big|huge)?int',
        }.items() if modules.re.match(types, column.data_type | lower) -%}
            {%- do kinds.update({column.name: kind}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(kinds) }}
{% endmacro %}

{#- Columns that are compared with what is no value of theirs, where the column begins the comparison. -#}
{% macro misfits(condition, kinds) %}
    {%- set text = "'(?:[^']|'')*'" -%}
    {%- set sign = '(?:[<>!]?=|<>|<|>|(?:not\\s+)?in\\s*[(]|(?:not\\s+)?between\\b)' -%}
    {%- set begin = '(?:^|[(,]|\\b(?:and|or|not|when|then|else)\\b)' -%}
    {%- set pattern = '(?i)' ~ text ~ '|' ~ begin ~ '\\s*(\\w+)\\s*' ~ sign ~ '\\s*(' ~ text ~ '|[0-9.]+)' -%}
    {%- set mends = {
        'date': "a day such as '2025-03-01'", 'truth value': 'true or false', 'number': 'a number',
        'text': "a text such as 'business'",
    } -%}
    {%- set types = {'date': 'timestamp', 'truth value': 'boolean', 'number': 'double'} -%}
    {%- set compared = [] -%}
    {%- for column, value in modules.re.findall(pattern, condition | trim) if column | lower in kinds -%}
        {%- set kind = kinds[column | lower] -%}
        {%- set told = column ~ ' is a ' ~ kind ~ ' and is compared with ' ~ value ~ ': compare it with ' ~ mends[kind] -%}
        {%- if value[0] == "'" and kind in types -%}
            {%- do compared.append((told, 'try_cast(' ~ value ~ ' as ' ~ types[kind] ~ ') is null')) -%}
        {%- elif value[0] != "'" and kind in ['text', 'date'] -%}
            {%- do compared.append((told, 'true')) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set is_misfit = run_query('select ' ~ compared | map(attribute=1) | join(', ')).rows[0] if compared else [] -%}
    {%- set found = [] -%}
    {%- for told, _ in compared -%}{%- do found.append(told) if is_misfit[loop.index0] -%}{%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{#- What was probably meant. -#}
{% macro hint(word, valid) %}
    {%- set meant = nearest(word, valid) -%}
    {{ return(": did you mean '" ~ meant ~ "'?" if meant else ': there is ' ~ valid | join(', ')) }}
{% endmacro %}

{#- The most similar of some words, by the pairs of letters that they share; none if all differ much. -#}
{% macro nearest(word, words) %}
    {%- set best = namespace(word=none, score=0.39) -%}
    {%- set pairs = letter_pairs(word) -%}
    {%- for candidate in words -%}
        {%- set others = letter_pairs(candidate) -%}
        {%- set score = 2 * (pairs | select('in', others) | list | length) / (pairs | length + others | length) -%}
        {%- if score > best.score -%}
            {%- set best.word = candidate -%}
            {%- set best.score = score -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(best.word) }}
{% endmacro %}

{% macro letter_pairs(word) %}
    {%- set padded = '^' ~ word | lower ~ '$' -%}
    {%- set pairs = [] -%}
    {%- for number in range(padded | length - 1) -%}{%- do pairs.append(padded[number:number + 2]) -%}{%- endfor -%}
    {{ return(pairs | unique | list) }}
{% endmacro %}
