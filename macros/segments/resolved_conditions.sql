{#-
  Conditions with all that they rest on written out: shared conditions by name, and the segments that are built upon.
  Whatever looks at a condition looks at the one that is resolved here: SQL, evidence, versions, the catalogue, checks.
-#}

{#-
  {name: condition} of what models state under `config: meta: shared_conditions:`, as written: those of this project in
  models/segments/shared_conditions.yml, those of a project that uses it wherever it likes.
-#}
{% macro shared_conditions() %}
    {%- set shared = {} -%}
    {%- for statement in shared_conditions_by_model() -%}{%- do shared.update(statement.conditions) -%}{%- endfor -%}
    {{ return(shared) }}
{% endmacro %}

{#- [{model, file, conditions}]. In a unit test dbt shows no graph: one that needs shared conditions overrides `shared_conditions`. -#}
{% macro shared_conditions_by_model() %}
    {%- set statements = [] -%}
    {%- for node in (graph.nodes or {}).values() if node.resource_type == 'model' and node.config.meta.shared_conditions -%}
        {%- do statements.append({
            'model': node.name,
            'file': (node.patch_path or node.original_file_path).split('://')[-1],
            'conditions': node.config.meta.shared_conditions,
        }) -%}
    {%- endfor -%}
    {{ return(statements) }}
{% endmacro %}

{#- The definition as written, with its conditions resolved. What can't be resolved is left out: the checks say so. -#}
{% macro resolved_segmentation(name, written) %}
    {%- set shared = shared_conditions() -%}
    {%- set segments = [] -%}
    {%- for segment in written.segments or [] -%}
        {%- set resolved = all_of(conditions_of(name, segment, written, shared)) -%}
        {%- do segments.append(dict(segment, when=resolved) if resolved else segment) -%}
    {%- endfor -%}
    {%- set resolved = dict(written, segments=segments) -%}
    {%- if written.population -%}{%- do resolved.update({'population': written_out(written.population, shared)}) -%}{%- endif -%}
    {{ return(resolved) }}
{% endmacro %}

{#-
  The conditions that all must hold for a segment, written out: those that it is built on first. What is wrong is added
  to `problems`; `path` leads here.
-#}
{% macro conditions_of(name, segment, written, shared, problems=[], path=[]) %}
    {%- set here = name ~ '.' ~ segment.name -%}
    {%- set own = [written_out(segment.when, shared)] if segment.when is string else [] -%}
    {%- if not segment.extends or here in path -%}{{ return(own) }}{%- endif -%}
    {%- set place = segment_place(segment.extends, name, written) -%}
    {%- set problem = place.problem
        or ("'" ~ place.segmentation ~ "' is learned and has no conditions" if place.written.assignment == 'learned')
        or ("'" ~ place.segment.name ~ "' has no condition to build on: it takes all that is left" if not (place.segment.when or place.segment.extends))
        or ('that goes in a circle: ' ~ (path + [here, place.segmentation ~ '.' ~ place.segment.name]) | join(', ')
            if place.segmentation ~ '.' ~ place.segment.name in path + [here]) -%}
    {%- if problem -%}
        {%- do problems.append("`extends` is '" ~ segment.extends ~ "', but " ~ problem) -%}
        {{ return(own) }}
    {%- endif -%}
    {{ return(conditions_of(place.segmentation, place.segment, place.written, shared, problems, path + [here]) + own) }}
{% endmacro %}

{#- Where `segment` or `segmentation.segment` leads: {segmentation, written, segment}, or the problem. -#}
{% macro segment_place(reference, name, written) %}
    {%- if reference is not string or not modules.re.match('^\\w+([.]\\w+)?$', reference) -%}
        {{ return({'problem': 'it must be the name of a segment, or of a segmentation and a segment with a point between them'}) }}
    {%- endif -%}
    {%- set segmentation = reference.split('.')[0] if '.' in reference else name -%}
    {%- set there = written if segmentation == name else other_segmentation(segmentation) -%}
    {%- if not there and is_unit_test() -%}
        {{ return({'problem': "a unit test doesn't see '" ~ segmentation ~ "': state its definition in `overrides: macros: other_segmentation:`"}) }}
    {%- elif not there -%}
        {{ return({'problem': "there is no segmentation '" ~ segmentation ~ "'" ~ hint(segmentation, segmentation_names())}) }}
    {%- endif -%}
    {%- set segments = (there.segments or []) | select('mapping') | list -%}
    {%- for segment in segments if segment.name == reference.split('.')[-1] -%}
        {{ return({'segmentation': segmentation, 'written': there, 'segment': segment}) }}
    {%- endfor -%}
    {{ return({'problem': "no segment of '" ~ segmentation ~ "' has this name" ~ hint(reference.split('.')[-1], segments | map(attribute='name') | list)}) }}
{% endmacro %}

{#- The definition of another segmentation. A unit test doesn't see any: one that builds on another overrides this. -#}
{% macro other_segmentation(name) %}
    {{ return(none if is_unit_test() else segmentation_as_written(name)) }}
{% endmacro %}

{% macro is_unit_test() %}
    {{ return(model is defined and model.resource_type == 'unit_test') }}
{% endmacro %}

{% macro segmentation_names() %}
    {%- set names = [] -%}
    {%- for node in (graph.nodes or {}).values() if node.resource_type == 'model' and node.config.meta.segmentation -%}
        {%- do names.append(node.name[9:]) -%}
    {%- endfor -%}
    {{ return(names | sort) }}
{% endmacro %}

{#- A condition with the shared ones that it names written out, in brackets only where they are needed. -#}
{% macro written_out(condition, shared, path=[]) %}
    {%- set pieces = modules.re.split("('(?:[^']|'')*'|[A-Za-z_]\\w*)", condition | trim) -%}
    {%- set written = [] -%}
    {%- for piece in pieces -%}
        {%- set name = piece | lower -%}
        {%- if loop.index0 % 2 and name in shared and name not in path and shared[name] is string -%}
            {%- set tokens = condition_tokens(pieces[:loop.index0] | join) -%}
            {%- set before = 'between' if ends_in_between(tokens) else tokens | last | default('') -%}
            {%- set after = condition_tokens(pieces[loop.index:] | join) | first | default('') -%}
            {%- do written.append(bracketed(written_out(shared[name], shared, path + [name]), before, after)) -%}
        {%- else -%}
            {%- do written.append(piece) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(written | join) }}
{% endmacro %}

{#- Conditions that must all hold, as one. -#}
{% macro all_of(conditions) %}
    {%- set parts = [] -%}
    {%- for condition in conditions -%}
        {%- do parts.append(bracketed(condition, '' if loop.first else 'and', '' if loop.last else 'and')) -%}
    {%- endfor -%}
    {{ return(parts | join(' and ')) }}
{% endmacro %}

{#- A condition between two words of another one: in brackets if it would otherwise be read differently. -#}
{% macro bracketed(condition, before, after) %}
    {%- set joins = words_that_join(condition) -%}
    {%- set may_stand_open = (not before and not after) or (
        after in ['', 'and', 'or', ')', 'then']
        and ('or' not in joins and before in ['', 'and', 'or', '(', 'when'] or not joins and before == 'not')
    ) -%}
    {{ return(condition if may_stand_open else '(' ~ condition ~ ')') }}
{% endmacro %}

{#- Whether what comes after some words is the second bound of a between. -#}
{% macro ends_in_between(tokens) %}
    {%- set within = [false] -%}
    {%- for token in tokens -%}
        {%- if token in ['(', 'case'] -%}{%- do within.append(false) -%}
        {%- elif token in [')', 'end'] and within | length > 1 -%}{%- do within.pop() -%}
        {%- elif token == 'between' -%}{%- do within.append(within.pop() or true) -%}
        {%- elif token == 'and' and not loop.last -%}{%- do within.append(within.pop() and false) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(tokens and tokens[-1] == 'and' and within[-1]) }}
{% endmacro %}

{#- Each `and` and `or` of a condition that isn't within brackets, a case or a between. -#}
{% macro words_that_join(condition) %}
    {%- set found = [] -%}
    {%- set at = namespace(depth=0, between=false) -%}
    {%- for token in condition_tokens(condition) -%}
        {%- set at.depth = at.depth + (1 if token in ['(', 'case'] else -1 if token in [')', 'end'] else 0) -%}
        {%- if at.depth == 0 and token in ['and', 'or'] and not (at.between and token == 'and') -%}{%- do found.append(token) -%}{%- endif -%}
        {%- if at.depth == 0 and token in ['between', 'and'] -%}{%- set at.between = token == 'between' -%}{%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{#- What is wrong with the shared conditions, said at once for each file. -#}
{% macro check_shared_conditions() %}
    {%- set columns = segmentation_columns() -%}
    {%- set statements = shared_conditions_by_model() -%}
    {%- for statement in statements -%}
        {%- set problems = shared_condition_problems(statement.conditions, columns, shared_conditions()) -%}
        {%- for other in statements[:loop.index0] if statement.conditions is mapping -%}
            {%- for name in statement.conditions if name in other.conditions -%}
                {%- do problems.append("condition '" ~ name ~ "': " ~ other.file ~ ' has one of this name') -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- if problems -%}
            {%- do exceptions.raise_compiler_error(
                statement.file ~ ' (shared_conditions of the model ' ~ statement.model ~ ") can't be used:\n  - " ~ problems | join('\n  - ')
                ~ '\n  How to write a shared condition: docs/guides/add_a_segment.md.') -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{% macro shared_condition_problems(conditions, columns, shared) %}
    {%- if conditions is not mapping -%}{{ return(['`shared_conditions` must be a list of names with a condition each: is_business: …']) }}{%- endif -%}
    {%- set taken = condition_keywords() + condition_functions() -%}
    {%- set problems = [] -%}
    {%- for name, condition in conditions.items() -%}
        {%- set found = name_problems(name, 'it') -%}
        {%- if name in columns -%}{%- do found.append('that is a column already: choose another name') -%}{%- endif -%}
        {%- if name in taken and not found -%}{%- do found.append('that is a word of conditions already: choose another name') -%}{%- endif -%}
        {%- do found.extend(condition_problems(condition, dict(columns, **shared))) -%}
        {%- set circle = circle_of(name, shared) -%}
        {%- if circle -%}{%- do found.append('it goes in a circle: ' ~ circle | join(', ')) -%}{%- endif -%}
        {%- for problem in found -%}{%- do problems.append("condition '" ~ name ~ "': " ~ problem) -%}{%- endfor -%}
    {%- endfor -%}
    {{ return(problems) }}
{% endmacro %}

{#- The names by which a shared condition leads back to itself; none if it does not. -#}
{% macro circle_of(name, shared, path=[]) %}
    {%- set here = path[-1] if path else name -%}
    {%- for next in condition_tokens(shared[here] | string) | select('in', shared) | unique -%}
        {%- if next == name -%}{{ return([name] + path + [name]) }}{%- endif -%}
        {%- if next not in path -%}
            {%- set circle = circle_of(name, shared, path + [next]) -%}
            {%- if circle -%}{{ return(circle) }}{%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(none) }}
{% endmacro %}
