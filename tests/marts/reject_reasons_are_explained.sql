-- every reason in rejected_rows starts with a problem that the reference table explains
with

reasons as (
    select distinct {{ split_to_rows('reasons', ',') }} as reason
    from {{ ref('rejected_rows') }}
)

select reasons.reason
from reasons
left join {{ ref('reject_problems') }} as problems
    on reasons.reason like concat('%', problems.problem, ':%')
where problems.problem is null
