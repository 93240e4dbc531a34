{#- What the build says of segments that are out of date, or larger or smaller than somebody wants them to be. -#}

{#- The file in which a segmentation is defined, from the folder of its project. -#}
{% macro definition_file(name) %}
    {%- for node in (graph.nodes or {}).values() if node.resource_type == 'model' and node.name == 'segments_' ~ name -%}
        {{ return((node.patch_path or node.original_file_path).split('://')[-1]) }}
    {%- endfor -%}
    {{ return('models/segments/segments_' ~ name ~ '.yml') }}
{% endmacro %}

{#- From the day on which its use ends, judged by the latest as-of date, every build names the segment. -#}
{% macro warn_of_deprecated_segments() %}
    {%- if execute -%}
    {%- set ended -%}
select
    segments.segmentation,
    segments.segment,
    cast(segments.deprecated_until as string),
    segments.replaced_by,
    cast(latest.as_of_date as string)
from {{ this }} as segments
inner join {{ ref('as_of_dates') }} as latest on segments.deprecated_until <= latest.as_of_date
where latest.is_latest
order by 1, segments.position
    {%- endset -%}
    {%- for segmentation, segment, ends_on, replaced_by, as_of_date in run_query(ended).rows -%}
        {%- do exceptions.warn(
            definition_file(segmentation) ~ ": segment '" ~ segment ~ "' was to be used until " ~ ends_on ~ ', and the data is of '
            ~ as_of_date ~ '. ' ~ ("Use '" ~ replaced_by ~ "' instead, and" if replaced_by else 'Nothing takes its place:')
            ~ ' delete the segment, or give it a later `ends_on`.') -%}
    {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{#- Names the segments that a query found outside of their limits. -#}
{% macro warn_of_broken_limits(query) %}
    {%- for segmentation, segment, share, min_share, max_share in run_query(query).rows -%}
        {%- do exceptions.warn(
            definition_file(segmentation) ~ ": segment '" ~ segment ~ "' has " ~ '%.1f' | format(100 * share) ~ ' % of the customers, '
            ~ ('less than its `min_share` of ' ~ '%.1f' | format(100 * min_share) if min_share is not none and share < min_share
                else 'more than its `max_share` of ' ~ '%.1f' | format(100 * max_share))
            ~ ' %. Change its condition, or the limit.') -%}
    {%- endfor -%}
{% endmacro %}
