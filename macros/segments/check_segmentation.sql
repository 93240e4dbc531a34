{#- The checks of segment definitions: all that is wrong with one is said at once. docs/guides/add_a_segment.md lists them. -#}

{#- What on-run-start calls: every definition in use, before anything is built. -#}
{% macro check_segmentations() %}
    {%- set names = var('segmentations') -%}
    {%- if execute -%}
        {%- for name in names -%}
            {%- if names.count(name) > 1 -%}{%- do configuration_error('segmentations', "names '" ~ name ~ "' twice.") -%}{%- endif -%}
            {%- do check_segmentation(name, segmentation_as_written(name), segmentation_columns()) -%}
        {%- endfor -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name.startswith('segments_') -%}
            {%- if node.name[9:] not in names -%}
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
            'models/segments/segments_' ~ name ~ '.yml can\'t be used:\n  - ' ~ problems | join('\n  - ')
            ~ '\n  How to write a definition: docs/guides/add_a_segment.md.') -%}
    {%- endif -%}
{% endmacro %}

{#- What is wrong with a definition, in words; empty if nothing. -#}
{% macro segmentation_problems(name, written, columns) %}
    {%- if written is not mapping or not written -%}
        {{ return(["there is no definition: it belongs under `config: meta: segmentation:` of the model segments_" ~ name]) }}
    {%- endif -%}
    {%- set problems = name_problems(name, 'the segmentation') -%}
    {%- if name in columns -%}
        {%- do problems.append("the segmentation can't be called '" ~ name ~ "': that is a column already") -%}
    {%- endif -%}
    {%- do problems.extend(key_problems(written, ['question', 'basis', 'assignment', 'owner'], ['population', 'otherwise', 'segments', 'column', 'evidence'])) -%}
    {%- set valid = {
        'basis': ['demographic', 'geographic', 'behavioural', 'needs', 'psychographic', 'journey', 'value', 'firmographic'],
        'assignment': ['first_match', 'all_matches', 'learned'],
    } -%}
    {%- for key, values in valid.items() if written[key] and written[key] not in values -%}
        {%- do problems.append("`" ~ key ~ "` is '" ~ written[key] ~ "'" ~ hint(written[key], values)) -%}
    {%- endfor -%}
    {%- if written.population -%}
        {%- for problem in condition_problems(written.population, columns) -%}{%- do problems.append('population: ' ~ problem) -%}{%- endfor -%}
    {%- endif -%}
    {%- if written.assignment == 'learned' -%}
        {{ return(problems + learned_problems(written, columns)) }}
    {%- endif -%}
    {%- for key in ['column', 'evidence'] if written[key] -%}
        {%- do problems.append('`' ~ key ~ '` belongs to a learned segmentation: here conditions say who is where') -%}
    {%- endfor -%}
    {%- set listed = written.segments if written.segments is iterable and written.segments is not string else [] -%}
    {%- if not listed or listed | reject('mapping') | list -%}
        {{ return(problems + ['`segments` must be a list of segments, each with a name']) }}
    {%- endif -%}

    {%- set names = [] -%}
    {%- set ranked = [] -%}
    {%- for segment in written.segments -%}
        {%- set where = "segment '" ~ segment.name ~ "'" if segment.name else 'segment ' ~ loop.index -%}
        {%- for problem in segment_problems(segment, written.otherwise, columns) -%}{%- do problems.append(where ~ ': ' ~ problem) -%}{%- endfor -%}
        {%- if segment.name in names -%}{%- do problems.append(where ~ ': there are two of this name') -%}{%- endif -%}
        {%- do names.append(segment.name) -%}
        {%- if segment.rank is defined -%}{%- do ranked.append(segment.name) -%}{%- endif -%}
    {%- endfor -%}
    {%- if written.otherwise and written.otherwise not in names -%}
        {%- do problems.append("`otherwise` is '" ~ written.otherwise ~ "', but no segment has this name" ~ hint(written.otherwise, names)) -%}
    {%- endif -%}
    {%- for unranked in names if ranked and unranked not in ranked -%}
        {%- do problems.append("segment '" ~ unranked ~ "': has no rank, but others have: give all segments one, or none") -%}
    {%- endfor -%}
    {#- what follows from conditions that can't be read would only distract -#}
    {{ return(problems or unreachable_problems(written)) }}
{% endmacro %}

{#- A learned segmentation takes its segments from a column; the definition may name some of them better. -#}
{% macro learned_problems(written, columns) %}
    {%- set problems = key_problems({'column': written.column}, ['column'], []) -%}
    {%- for column in [written.column] + (written.evidence or []) if column and column not in columns -%}
        {%- do problems.append("there is no column '" ~ column ~ "'" ~ hint(column, columns)) -%}
    {%- endfor -%}
    {%- if written.otherwise -%}{%- do problems.append('`otherwise` belongs to conditions: a learned segmentation has none') -%}{%- endif -%}
    {%- for segment in written.segments or [] -%}
        {%- set where = "segment '" ~ segment.name ~ "'" if segment.name else 'segment ' ~ loop.index -%}
        {%- for problem in text_problems(segment, ['owner', 'hypothesis', 'treatment', 'expect']) -%}{%- do problems.append(where ~ ': ' ~ problem) -%}{%- endfor -%}
    {%- endfor -%}
    {{ return(problems) }}
{% endmacro %}

{% macro segment_problems(segment, otherwise, columns) %}
    {%- set problems = text_problems(segment, ['when', 'rank', 'owner', 'hypothesis', 'treatment', 'expect']) -%}
    {%- if segment.rank is defined and (segment.rank is not integer or segment.rank is boolean) -%}
        {%- do problems.append("`rank` is '" ~ segment.rank ~ "': it must be a whole number, and higher is better") -%}
    {%- endif -%}
    {%- if segment.when is defined and segment.name == otherwise -%}
        {%- do problems.append('it is `otherwise`, so it takes all that is left and must not have a `when`') -%}
    {%- elif segment.when -%}
        {%- do problems.extend(condition_problems(segment.when, columns)) -%}
    {%- elif segment.name != otherwise -%}
        {%- do problems.append('it has no `when`: say who is in it, or name it in `otherwise`') -%}
    {%- endif -%}
    {{ return(problems) }}
{% endmacro %}

{#- What a segment is called, and what is done for it. -#}
{% macro text_problems(segment, optional) %}
    {%- set problems = name_problems(segment.name, 'it') if segment.name else [] -%}
    {%- do problems.extend(key_problems(segment, ['name', 'label'], optional)) -%}
    {%- if segment.label is mapping -%}
        {%- for problem in key_problems(segment.label, ['en', 'ko'], []) -%}{%- do problems.append('label: ' ~ problem) -%}{%- endfor -%}
    {%- elif segment.label -%}
        {%- do problems.append('`label` must have an English and a Korean text: {en: …, ko: …}') -%}
    {%- endif -%}
    {%- if segment.treatment is mapping -%}
        {%- for problem in key_problems(segment.treatment, [], ['objective', 'channel', 'offer']) -%}{%- do problems.append('treatment: ' ~ problem) -%}{%- endfor -%}
    {%- elif segment.treatment -%}
        {%- do problems.append('`treatment` must say what is done: {objective: …, channel: …, offer: …}') -%}
    {%- endif -%}
    {{ return(problems) }}
{% endmacro %}

{% macro key_problems(written, required, optional) %}
    {%- set problems = [] -%}
    {%- for key in required if not written[key] -%}{%- do problems.append('`' ~ key ~ '` is missing') -%}{%- endfor -%}
    {%- for key in written if key not in required + optional -%}
        {%- do problems.append("there is no key '" ~ key ~ "'" ~ hint(key, required + optional)) -%}
    {%- endfor -%}
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
    {%- if '--' in without_texts or '/*' in without_texts -%}
        {%- do problems.append('the condition holds a comment: write it as a comment of the YAML file, with #') -%}
    {%- endif -%}
    {%- if without_texts.count("'") % 2 -%}{%- do problems.append("the condition has a text that doesn't end: a ' is missing") -%}{%- endif -%}
    {%- if tokens.count('(') != tokens.count(')') -%}{%- do problems.append("the condition has brackets that don't match") -%}{%- endif -%}
    {%- for token in tokens -%}
        {%- set before = tokens[loop.index0 - 1] if loop.index0 else '' -%}
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
    {{ return(problems | unique | list) }}
{% endmacro %}

{#- Segments that nobody can be in: the condition contradicts itself, or earlier ones always win. -#}
{% macro unreachable_problems(written) %}
    {%- set problems = [] -%}
    {%- set earlier = [] -%}
    {%- for segment in written.segments if segment.when -%}
        {%- set possible = [] -%}
        {%- for alternative in condition_alternatives(segment.when, written.population or '') if not is_impossible(alternative) -%}
            {%- do possible.append(alternative) -%}
        {%- endfor -%}
        {%- set winners = [] -%}
        {%- for alternative in possible -%}
            {%- set winner = namespace(name=none) -%}
            {%- for candidate in earlier if not winner.name and is_within(alternative, candidate.alternative) -%}
                {%- set winner.name = candidate.name -%}
            {%- endfor -%}
            {%- if winner.name -%}{%- do winners.append(winner.name) -%}{%- endif -%}
        {%- endfor -%}
        {%- if not possible -%}
            {%- do problems.append(
                "segment '" ~ segment.name ~ "': its condition can't be true (" ~ segment.when | trim
                ~ (", within " ~ written.population if written.population else '') ~ ")") -%}
        {%- elif winners | length == possible | length and written.assignment == 'first_match' -%}
            {%- do problems.append(
                "segment '" ~ segment.name ~ "': nobody can be in it, because '" ~ winners | unique | join("' and '")
                ~ "' comes first and takes all of them: move it up, or change its condition (" ~ segment.when | trim ~ ")") -%}
        {%- endif -%}
        {%- for alternative in condition_alternatives(segment.when) -%}
            {%- do earlier.append({'name': segment.name, 'alternative': alternative}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(problems) }}
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
