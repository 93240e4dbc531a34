{{ config(materialized='view') }}

-- the latest date is stored; earlier ones are worked out from the features of then
select *
from {{ ref('latest_features') }}
union all
select *
from (
    {{ side_by_side('as_of_date < ' ~ latest_date()) | indent(4) }}
) as earlier
