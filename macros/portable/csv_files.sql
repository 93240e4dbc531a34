{#-
  How DuckDB reads CSV here. Nothing is guessed from a sample, because a guess fails on line 20,001: the header says the
  separator and the names, only double quotes quote, lines may end in any way, and every value is text. A line with too
  few or too many fields is a row to be judged. That takes one thread, which reads 200 MB a second.
-#}

{#- The from-clause of a path or glob: files with the same header together, all by the names of their columns. -#}
{% macro csv_source(path) %}
    {%- set groups = {} -%}
    {%- for file in (csv_headers(path) if execute else []) -%}
        {%- do groups.setdefault((file.separator, file.names | join('\n'), file.skip), []).append(file) -%}
    {%- endfor -%}
    {%- set selects = [] -%}
    {%- for files in groups.values() -%}
        {%- set names = [] -%}
        {%- for name in files[0].names -%}{%- do names.append(adapter.quote(name)) -%}{%- endfor -%}
        {%- set rows = csv_rows(files | map(attribute='file') | list, files[0].separator, files[0].names, files[0].skip) -%}
        {%- do selects.append('select ' ~ names | join(', ') ~ ', ' ~ csv_broken_row(names, files[0].separator) ~ ' as broken_row\nfrom ' ~ rows) -%}
    {%- endfor -%}
    {{ return('(\n' ~ (selects | join('\nunion all by name\n') or 'select null as broken_row where false') ~ '\n)') }}
{% endmacro %}

{#-
  Why the values of a line may stand in the wrong columns, null if they don't: it has fields behind the last column, or
  a value that swallowed whole lines, because a quote is not closed.
-#}
{% macro csv_broken_row(names, separator) -%}
    {%- set spare = csv_spare_names() | map('tojson') | join(', ') -%}
    {%- set line = '[\\n\\r](?:[^X\\n\\r]*[X]){N}[^X\\n\\r]*(?:[\\n\\r]|$)' | replace('X', separator) | replace('N', names | length - 1) -%}
    case
        when coalesce({{ spare }}) is not null then concat('fields: ', concat_ws('{{ separator }}', {{ spare }}))
        {%- if 3 <= names | length <= 200 %}
        when regexp_matches(concat({{ names | join(', ') }}), '[\n\r]') and regexp_matches(concat({{ names | join(', ') }}), '{{ line }}')
            then 'lines'
        {%- endif %}
    end
{%- endmacro %}

{#- [{file, separator, names, skip}] of those files of a path or glob that are not empty. -#}
{% macro csv_headers(path) %}
    {%- set files = run_query('select file from glob(' ~ csv_path(path) ~ ') order by file').columns[0].values() if '://' not in path else [path] -%}
    {%- set queries = [] -%}
    {%- for file in files -%}
        {%- do queries.append('(select ' ~ csv_path(file) ~ ", coalesce(line, '') from " ~ csv_lines(file, 'parallel = false, max_line_size = 1000000, buffer_size = 2000000') ~ ' limit 30)') -%}
    {%- endfor -%}
    {%- set lines = {} -%}
    {%- for row in run_query(queries | join(' union all ')).rows if queries -%}{%- do lines.setdefault(row[0], []).append(row[1]) -%}{%- endfor -%}
    {%- set headers = [] -%}
    {%- for file, first in lines.items() if first | join | trim -%}
        {%- do headers.append(csv_header(file, first)) -%}
    {%- endfor -%}
    {{ return(headers) }}
{% endmacro %}

{#- What the first lines of a file say of it; a name in quotes may hold line breaks. -#}
{% macro csv_header(file, lines) %}
    {%- set text = lines | join('\n') -%}
    {%- set bare = modules.re.sub('"[^"]*"', '', text.strip().split('\n')[0]) -%}
    {%- set found = namespace(separator=',') -%}
    {%- for other in [';', '\t', '|'] if bare.count(other) > bare.count(found.separator) -%}{%- set found.separator = other -%}{%- endfor -%}
    {%- set field = '(?:[ ]*"(?:[^"]|"")*"[^X\\n]*|[^X"\\n][^X\\n]*|)' -%}
    {%- set header = modules.re.match(('(?:[ ]*\\n)*(' ~ field ~ '(?:[X]' ~ field ~ ')*)') | replace('X', found.separator), text) -%}
    {%- set names = [] -%}
    {%- set taken = [] -%}
    {%- for part in modules.re.findall(('(' ~ field ~ ')[X]') | replace('X', found.separator), header.group(1) ~ found.separator) -%}
        {#- one without a name is called by its place; of several alike the later ones are numbered -#}
        {%- set name = part | replace('"', '') | trim or 'column' ~ loop.index0 -%}
        {%- do taken.append(name | lower) -%}
        {%- do names.append(name ~ (' (' ~ taken.count(name | lower) ~ ')' if taken.count(name | lower) > 1 else '')) -%}
    {%- endfor -%}
    {{ return({
        'file': file,
        'separator': found.separator,
        'names': names,
        'skip': header.group(0)[:header.start(1)].count('\n') + 1,
        'text': header.group(1),
    }) }}
{% endmacro %}

{% macro csv_rows(files, separator, names, skip) -%}
    {%- set paths = [] -%}
    {%- for file in files -%}{%- do paths.append(csv_path(file)) -%}{%- endfor -%}
    {%- set columns = [] -%}
    {%- for name in names + csv_spare_names() -%}{%- do columns.append(csv_path(name) ~ ": 'varchar'") -%}{%- endfor -%}
    read_csv(
        [{{ paths | join(', ') }}], auto_detect = false, columns = { {{- columns | join(', ') -}} },
        header = false, skip = {{ skip }}, delim = '{{ separator }}', quote = '"', escape = '"',
        strict_mode = false, null_padding = true, parallel = false, {{ csv_limits() }}
    )
{%- endmacro %}

{#- Lines as they stand in a file, without those that are not UTF-8. -#}
{% macro csv_lines(path, options) -%}
    read_csv(
        {{ csv_path(path) }}, auto_detect = false, columns = {'line': 'varchar'}, header = false, delim = '\x01', quote = '', escape = '',
        strict_mode = false, ignore_errors = true, filename = 'file', {{ options }}
    )
{%- endmacro %}

{#- A quote that is never closed makes a line of any length: there is an end to it. -#}
{% macro csv_limits() %}{{ return('max_line_size = 16000000, buffer_size = 32000000') }}{% endmacro %}

{#- So many fields behind the last column are kept with the row. -#}
{% macro csv_spare_names() %}
    {%- set names = [] -%}
    {%- for number in range(1, 9) -%}{%- do names.append('behind the last column ' ~ number) -%}{%- endfor -%}
    {{ return(names) }}
{% endmacro %}

{% macro csv_path(path) %}{{ return("'" ~ path | replace("'", "''") ~ "'") }}{% endmacro %}

{#-
  What is wrong with the CSV files of a path or glob, one message each: said before anything is built. The files are
  read as plain lines first, and what these hold must arrive in the columns: a quote in the wrong place loses text.
-#}
{% macro csv_problems(path) %}
    {%- set headers = csv_headers(path) -%}
    {%- set counts = [] -%}
    {%- for separator in headers | map(attribute='separator') | unique -%}
        {%- do counts.append("max(length(line) - length(replace(line, '" ~ separator ~ "', '')))") -%}
    {%- endfor -%}
    {%- do run_query("
        create or replace temp table csv_scan as
        select
            file,
            count(*) filter (where contains(line, '\"')) > 0 as has_quotes,
            greatest(0, " ~ (counts | join(', ') or '0') ~ ") as separators
        from " ~ csv_lines(path, csv_limits() ~ ", store_rejects = true, rejects_limit = 1, rejects_table = 'csv_rejects', rejects_scan = 'csv_reject_scans'") ~ "
        group by file
    ") -%}
    {%- set problems = {} -%}
    {%- for header in headers if header.text[:2] == 'PK' -%}
        {%- do problems.update({header.file: csv_workbook()}) -%}
    {%- endfor -%}
    {%- for row in run_query("
        select scans.file_path, rejects.line, rejects.error_type, left(rejects.csv_line, 80)
        from csv_rejects as rejects
        inner join csv_reject_scans as scans on rejects.scan_id = scans.scan_id and rejects.file_id = scans.file_id
        order by scans.file_path, rejects.line
    ").rows if row[0] not in problems -%}
        {%- do problems.update({row[0]: csv_unread_line(*row)}) -%}
    {%- endfor -%}
    {%- set scans = {} -%}
    {%- for row in run_query('select * from csv_scan').rows -%}{%- do scans.update({row[0]: row}) -%}{%- endfor -%}
    {%- do run_query('drop table csv_rejects; drop table csv_reject_scans; drop table csv_scan') -%}
    {%- for header in headers if header.file not in problems -%}
        {%- if '\x00' in header.text -%}
            {%- do problems.update({header.file: 'is full of zero bytes: UTF-16, or no text at all. ' ~ csv_how_to_convert('UTF-16', header.file)}) -%}
        {%- elif scans[header.file][1] or scans[header.file][2] >= header.names | length + csv_spare_names() | length -%}
            {%- set lost = csv_lost_characters(header) -%}
            {%- if lost -%}
                {%- do problems.update({header.file: 'has text that belongs to no column (characters: ' ~ lost ~ '): a quote stands where none may stand, or is not closed, or a line has more than ' ~ csv_spare_names() | length ~ ' fields too many. Look at' ~ csv_odd_lines(header) ~ '\n  A quote within a value is doubled: "5"" pipe".'}) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set told = [] -%}
    {%- for file, problem in problems.items() -%}{%- do told.append(file ~ ' ' ~ problem) -%}{%- endfor -%}
    {{ return(told or ([path ~ ' is empty: there is not even a line with the names of the columns.'] if not headers else [])) }}
{% endmacro %}

{% macro csv_unread_line(file, line, error, text) %}
    {%- if error == 'LINE SIZE OVER MAXIMUM' -%}
        {{ return('is no CSV, or a quote is never closed: line ' ~ line ~ ' is longer than 16 MB. It begins with: ' ~ text) }}
    {%- elif line == 1 and text[:2] == 'PK' -%}
        {{ return(csv_workbook()) }}
    {%- elif line == 1 and text[:1] == '\x1f' -%}
        {{ return('is compressed: give it a name that ends in .csv.gz.') }}
    {%- endif -%}
    {{ return('is in another encoding: line ' ~ line ~ ' is not UTF-8: ' ~ text | replace('\x00', '') ~ '\n  ' ~ csv_how_to_convert('UTF-16' if '\x00' in text else 'CP1252', file)) }}
{% endmacro %}

{% macro csv_workbook() %}{{ return('is a workbook or another zip archive and not CSV. Save it as "CSV UTF-8".') }}{% endmacro %}

{% macro csv_how_to_convert(encoding, file) %}
    {{ return('Convert it: iconv -f ' ~ encoding ~ ' -t UTF-8 ' ~ file.split('/')[-1] ~ ' > utf8.csv (CP1252 is Western Windows, CP949 Korean Windows, UTF-16 what Excel calls Unicode text).') }}
{% endmacro %}

{#- How many characters of a file are in none of its columns, quotes, separators, spaces and line ends apart. -#}
{% macro csv_lost_characters(header) %}
    {%- set columns = [] -%}
    {%- for name in header.names + csv_spare_names() -%}{%- do columns.append(adapter.quote(name)) -%}{%- endfor -%}
    {{ return(run_query(
        'select
            (select coalesce(sum(' ~ csv_size('line', header.separator) ~ '), 0) from ' ~ csv_lines(header.file, csv_limits()) ~ ')
            - ' ~ csv_size(csv_path(header.text), header.separator) ~ '
            - (select coalesce(sum(' ~ csv_size('concat(' ~ columns | join(', ') ~ ')', header.separator) ~ '), 0) from '
                ~ csv_rows([header.file], header.separator, header.names, header.skip) ~ ')'
    ).rows[0][0]) }}
{% endmacro %}

{% macro csv_size(text, separator) %}
    {%- set bare = namespace(is=text) -%}
    {%- for dropped in ["'\"'", "'" ~ separator ~ "'", "' '", 'chr(10)', 'chr(13)'] -%}{%- set bare.is = 'replace(' ~ bare.is ~ ', ' ~ dropped ~ ", '')" -%}{%- endfor -%}
    {{ return('length(' ~ bare.is ~ ')') }}
{% endmacro %}

{#- The first lines that can't be right by themselves, with their numbers. -#}
{% macro csv_odd_lines(header) %}
    {%- set field = '([ ]*"([^"]|"")*"[ ]*|[^X"][^X]*|)' | replace('X', header.separator) -%}
    {%- set rows = run_query("
        select number, left(line, 120)
        from (select row_number() over () as number, line from " ~ csv_lines(header.file, 'parallel = false, ' ~ csv_limits()) ~ ")
        where
            not regexp_full_match(line, '" ~ field ~ '([' ~ header.separator ~ ']' ~ field ~ ")*')
            or length(line) - length(replace(line, '" ~ header.separator ~ "', '')) >= " ~ (header.names | length + csv_spare_names() | length) ~ "
        order by number
        limit 3
    ").rows -%}
    {%- set told = [] -%}
    {%- for row in rows -%}{%- do told.append('\n  line ' ~ row[0] ~ ': ' ~ row[1]) -%}{%- endfor -%}
    {{ return(told | join or ' its quotes.') }}
{% endmacro %}
