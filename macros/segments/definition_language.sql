{#-
  What a definition may say: every key, in one place.

  required  the key can't be left out
  only      the key belongs to segmentations of this assignment alone
  learned   the key may also stand in a segment of a learned segmentation
  type      text (if nothing is said), condition, name, names, reference (`segment` or `segmentation.segment`), number
            (whole), share (from 0 to 1), date, or the entry of this page that says what stands below the key
  values    the only values there are
  list      a list of entries
  many      one entry or a list of them
  default   what an absent key means

  The checks follow from here, and so do schemas/segmentation.schema.json and the tables of docs/guides/add_a_segment.md:
  `segmentation schema` writes both, and a test compares.
-#}
{% macro definition_language() %}
{%- set language -%}
segmentation:
  question: {required: true, description: "The question that the segmentation answers."}
  basis:
    required: true
    values: [demographic, geographic, behavioural, needs, psychographic, journey, value, firmographic]
    description: "What it looks at."
  assignment:
    required: true
    values: [first_match, all_matches, learned]
    description: "`first_match`: one segment for each customer. `all_matches`: overlapping audiences. `learned`: a column says, see below."
  owner: {required: true, description: "Who answers for it. A segment may name an owner of its own."}
  population: {type: condition, description: "Condition for who is looked at. Others are in no segment."}
  otherwise: {type: name, description: "Name of the segment that takes all that is left. Without it, who matches nothing is in no segment."}
  segments: {type: segment, list: true, description: "The segments, in order. Conditions need at least one; a learned segmentation needs none."}
  column: {only: learned, values: [nearest_cluster], description: "The column that holds the segment; names and rules of what is learned come with it."}
  evidence: {only: learned, type: names, description: "Columns that are shown as evidence."}
  min_share: {type: share, default: 0.01, description: "The least share of the segmentation's customers that a segment should have. The build warns if it is written here or at the segment."}
  max_moved_share: {type: share, default: 0.10, description: "The largest share of the customers that a change of the definition may move before `segmentation diff` objects."}
segment:
  name: {required: true, learned: true, type: name, description: "a-z, 0-9 and _. It is what the tables hold, so choose it to last."}
  label: {required: true, learned: true, type: label, description: "What people read."}
  when: {type: condition, description: "The condition. The `otherwise` segment has none; one that extends another may do without."}
  extends: {type: reference, description: "A segment to build on, as `segment` or `segmentation.segment`: its condition must be met as well."}
  rank: {type: number, description: "Higher is better, ties allowed. Give it to all segments or to none: it says what is up and down."}
  owner: {learned: true, description: "Who answers for the segment, if not the owner of the segmentation."}
  hypothesis: {learned: true, description: "A claim about these customers that a campaign can test."}
  treatment: {learned: true, type: treatment, description: "What is done for them."}
  expect: {learned: true, type: expect, many: true, description: "What should come true of these customers: one claim or a list. `hypotheses` holds them against what came."}
  min_share: {learned: true, type: share, description: "The least share of the segmentation's customers: the build warns below it."}
  max_share: {learned: true, type: share, description: "The largest share of the segmentation's customers: the build warns above it."}
  deprecated: {type: deprecated, description: "The segment goes out of use."}
label:
  en: {required: true, description: "In English."}
  ko: {required: true, description: "In Korean."}
treatment:
  objective: {description: "What is to be achieved."}
  channel: {description: "On which channel."}
  offer: {description: "By which offer."}
expect:
  metric:
    required: true
    values: [orders_next_90d, revenue_next_90d, retention_next_90d]
    description: "What is measured, of the 90 days after the as-of date."
  versus: {required: true, type: name, description: "`population` (all other customers of the segmentation) or a segment of the same segmentation."}
  direction: {required: true, values: [higher, lower], description: "What is claimed."}
deprecated:
  ends_on: {required: true, type: date, description: "The first day on which nobody should use the segment. From then on the build warns."}
  use: {type: reference, description: "What takes its place, as `segment` or `segmentation.segment`."}
{%- endset -%}
    {{ return(fromyaml(language)) }}
{% endmacro %}

{#-
  What is often written in a condition and means something else, or nothing: {what to do: pattern}. Patterns are over lower
  case, with @ in place of each text. The command line reads the same list.
-#}
{% macro condition_mistakes() %}
{%- set mistakes -%}
"nothing compares with null: write `is null` or `is not null`":
  '[<>=]\s*null\b|\bnull\s*[<>=!]|\b(like|between)\s+null\b|\bin\s*\([^()]*\bnull\b'
"after `is` stands null, true, false or distinct from, with or without not":
  '\bis\s+(?:not\s+)?(?!not\b|null\b|true\b|false\b|distinct\b)\S'
"a comparison is one of =, <>, <, <=, > and >=":
  '=[<>!]|![<>]|[<>!]\s+=|<\s+>'
"one comparison follows on another: join two with `and`, such as 5 < x and x < 10":
  '[<>=]\s*[\w.@]+\s*[<>=!]'
"a condition is missing beside `and`, `or` or `not`":
  '(?:^|\(|\b(?:and|or|not|when)\b)\s*(?:and|or)\b|\b(?:and|or|not)\s*(?:$|\))'
"a number has no comma in it: write 1000 for 1,000 and 0.5 for 0,5":
  '(?:[<>=]|\bbetween|\band)\s*-?\d+,\d'
"% is the rest of a division: write 0.1 for 10 %":
  '\d\s*%\s*(?:$|[)<>=,]|\b(?:and|or|then|else|end|when)\b)'
"two texts stand side by side: put a comma between them":
  '@\s*@'
"write power(a, b) for a ** b, and floor(a / b) for a // b":
  '\*\s*\*|/\s*/'
{%- endset -%}
    {{ return(fromyaml(mistakes)) }}
{% endmacro %}

{#- The keys of an entry, and what is wrong with those that somebody wrote; `place` leads to it: `expect` or `label`. -#}
{% macro entry_problems(written, keys, place='') %}
    {%- set lead = place ~ ': ' if place else '' -%}
    {%- set problems = [] -%}
    {%- for key, rules in keys.items() if rules.required and not written[key] -%}
        {%- do problems.append(lead ~ '`' ~ key ~ '` is missing') -%}
    {%- endfor -%}
    {%- for key, value in written.items() -%}
        {%- set rules = keys[key] -%}
        {%- if key not in keys -%}
            {%- do problems.append(lead ~ "there is no key '" ~ key ~ "'" ~ hint(key, keys | list)) -%}
        {%- elif rules.get('values') and value and value not in rules.get('values') -%}
            {%- do problems.append(lead ~ '`' ~ key ~ "` is '" ~ value ~ "'" ~ hint(value, rules.get('values'))) -%}
        {%- elif rules.type == 'share' and (value is not number or value is boolean or not 0 <= value <= 1) -%}
            {%- do problems.append(lead ~ '`' ~ key ~ "` is '" ~ value ~ "': it must be a share from 0 to 1, such as 0.05 for 5 %") -%}
        {%- elif rules.type == 'number' and (value is not integer or value is boolean) -%}
            {%- do problems.append(lead ~ '`' ~ key ~ "` is '" ~ value ~ "': it must be a whole number, and higher is better") -%}
        {%- elif rules.type == 'date' and not is_date(value | string) -%}
            {%- do problems.append(lead ~ '`' ~ key ~ "` is '" ~ value ~ "': write a day as 2027-03-31") -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{% endmacro %}
