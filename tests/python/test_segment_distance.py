"""The way to the next better segment: who goes it arrives, and what an order changes is told in orders."""

import itertools
import json
import random

import duckdb
import pytest
from conftest import Outcome

# what makes a segmentation: alternatives of it are drawn at random
TERMS = [
    *["days >= 2", "days < 3", "days between 1 and 2", "days = 2", "days <> 1", "days in (0, 3)"],
    *[
        "amount > 1.5",
        "amount <= 1.5",
        "amount = 2",
        "not amount > 2",
        "amount is null",
        "amount is not null",
    ],
    *[
        "kind = 'a'",
        "kind <> 'b'",
        "kind in ('a', 'b')",
        "coalesce(kind = 'a', true)",
        "amount > days",
        "true",
    ],
]
VALUES = {"days": [0, 1, 2, 3, 4, None], "amount": [0, 1, 1.5, 2, 2.5, None], "kind": ["a", "b", "c", None]}


def drawn_definition(number: int) -> dict:
    """Draw a segmentation of three to five segments, ranked in any order, some with all that is left."""
    chance = random.Random(number)

    def condition() -> str:
        either = [
            " and ".join(chance.sample(TERMS, chance.randint(1, 2))) for _ in range(chance.randint(1, 2))
        ]
        return " or ".join(either)

    segments = [
        {"name": f"s{place}", "when": condition(), "rank": chance.randint(1, 4)}
        for place in range(chance.randint(2, 4))
    ]
    definition = {"name": f"d{number}", "assignment": "first_match", "left_out": {}, "segments": segments}
    if chance.random() < 0.6:
        definition |= {"otherwise": "rest", "segments": [*segments, {"name": "rest", "rank": 0}]}
    if chance.random() < 0.5:
        definition["population"] = condition()
    return definition


WAYS = """
{%- set found = [] -%}
{%- for definition in fromjson(DEFINITIONS) -%}
    {%- for segment in ranked_segments(definition) -%}
        {%- set ways = [] -%}
        {%- for way in ways_into(definition, segment) -%}{%- do ways.append(way_terms(way)) -%}{%- endfor -%}
        {%- do found.append([definition.name, segment.name, ways, segment_expression(definition)]) -%}
    {%- endfor -%}
{%- endfor -%}
{{ tojson(found) }}
"""


def test_the_ways_into_a_segment_lead_nowhere_else_and_miss_nobody(project, tmp_path):
    definitions = json.dumps(json.dumps([drawn_definition(number) for number in range(16)]))
    outcome = project.dbt(
        tmp_path, "compile", "--no-populate-cache", "--inline", WAYS.replace("DEFINITIONS", definitions)
    )
    assert outcome.success, outcome.message
    found = json.loads(outcome.result.results[0].node.compiled_code)
    with duckdb.connect() as connection:
        connection.execute("create table customers (days integer, amount double, kind varchar)")
        connection.executemany(
            "insert into customers values (?, ?, ?)", list(itertools.product(*VALUES.values()))
        )
        for name, segment, ways, expression in found:
            is_on_a_way = " or ".join(
                "(" + " and ".join(term["is_met"] for term in terms or [{"is_met": "true"}]) + ")"
                for terms in ways
            )
            wrong = connection.execute(
                f"""
                select *
                from (select *, {expression} as segment, ({is_on_a_way or "false"}) as is_met from customers)
                where is_met <> coalesce(segment = '{segment}', false)
                """
            ).fetchall()
            assert wrong == [], (name, segment, ways)


def placed(definition: str) -> str:
    """Write a published definition as SQL, apart from the macros that do so."""
    definition = json.loads(definition)
    cases = (
        [f"when not coalesce({definition['population']}, false) then null"]
        if definition["population"]
        else []
    )
    cases += [
        f"when {segment['when']} then '{segment['name']}'"
        for segment in definition["segments"]
        if segment["when"]
    ]
    rest = f"'{definition['otherwise']}'" if definition["otherwise"] else "null"
    return f"case {' '.join(cases)} else {rest} end"


@pytest.fixture(scope="module")
def ordered(demo: Outcome) -> dict[str, str]:
    """The ordered segmentations as SQL."""
    rows = demo.rows(
        """
        select distinct segmentation, definition from segments.publications
        where segmentation in (select segmentation from marts.segment_distance_to_next)
            and as_of_date = (select max(as_of_date) from marts.customers)
        """
    )
    return {segmentation: placed(definition) for segmentation, definition in rows}


LATEST = """
(select * from scores.customer_features where as_of_date = (select max(as_of_date) from marts.customers))
"""


def arrivals(demo: Outcome, segmentation: str, expression: str, changes: str, who: str) -> list[tuple]:
    """Return where customers should have arrived and where they did, with their features changed."""
    return demo.rows(
        f"""
        with ways as (
            select
                customer_id,
                any_value(next_segment) as next_segment,
                map(list(feature), list(
                    needed + case comparison when '>' then 1e-6 when '<' then -1e-6 else 0 end
                )) as needed,
                bool_and(coalesce(orders_to_next = 1, false)) as is_one_order,
                bool_and(is_complete and needed is not null) as is_complete
            from marts.segment_distance_to_next
            where segmentation = '{segmentation}'
            group by customer_id
        ),
        changed as (
            select features.* replace ({changes}), ways.next_segment
            from {LATEST} as features inner join ways using (customer_id)
            where {who}
        )
        select customer_id, next_segment, {expression} as segment from changed
        """
    )


def test_who_meets_what_is_needed_is_in_the_next_segment(demo: Outcome, ordered: dict[str, str]):
    assert set(ordered) == {"rfm", "lifecycle", "loyalty_tier", "value_potential"}
    for segmentation, expression in ordered.items():
        features = demo.rows(
            "select distinct feature from marts.segment_distance_to_next"
            f" where segmentation = '{segmentation}'"
        )
        changes = ", ".join(
            f"coalesce(needed['{feature}'], features.{feature}) as {feature}" for (feature,) in features
        )
        found = arrivals(demo, segmentation, expression, changes, "is_complete")
        (everybody,) = demo.rows(
            "select count(distinct customer_id) from marts.segment_distance_to_next"
            f" where segmentation = '{segmentation}'"
        )
        assert len(found) == everybody[0] > 100  # the shipped definitions leave nobody in doubt
        assert [row for row in found if row[1] != row[2]] == []


ONE_ORDER = """
    lifetime_orders + 1 as lifetime_orders,
    orders_12m + 1 as orders_12m,
    0 as days_since_last_order,
    0.0 as overdue_ratio,
    5 as recency_score,
    coalesce(days_since_first_order, 0) as days_since_first_order,
    features.days_since_last_order as days_between_last_orders,
    features.overdue_ratio as gap_ratio,
    (
        select 1 + count(*) from fits.fit_rfm_cutoffs
        cross join (values (cutoff_1), (cutoff_2), (cutoff_3), (cutoff_4)) as t (cutoff)
        where metric = 'frequency' and fitted_on = features.as_of_date and lifetime_orders + 1 > cutoff
    ) as frequency_score
"""


def test_who_is_one_order_away_is_in_the_next_segment_after_one_order(demo: Outcome, ordered: dict[str, str]):
    for segmentation in ("rfm", "lifecycle", "loyalty_tier"):
        found = arrivals(demo, segmentation, ordered[segmentation], ONE_ORDER, "is_one_order")
        assert len(found) > 5
        assert [row for row in found if row[1] != row[2]] == []


def test_only_who_is_in_the_best_segment_has_no_way_up(demo: Outcome):
    without = demo.rows(
        """
        select distinct membership.segmentation, membership.segment
        from marts.segment_membership as membership
        anti join marts.segment_distance_to_next using (customer_id, as_of_date, segmentation)
        inner join marts.segments using (segmentation, segment)
        where segments.segment_rank is not null
            and membership.as_of_date = (select max(as_of_date) from marts.customers)
        """
    )
    assert sorted(without) == [
        ("lifecycle", "active"),
        ("loyalty_tier", "platinum"),
        ("rfm", "champions"),
        ("value_potential", "keep"),
    ]


FEATURES = """
{%- set whole = [] -%}
{%- for name in fromjson(NAMES) if is_whole_number(name) -%}{%- do whole.append(name) -%}{%- endfor -%}
{{ tojson([whole, feature_movements().keys() | list]) }}
"""


def test_features_that_are_taken_for_whole_numbers_are(project, demo: Outcome, tmp_path):
    types = dict(
        demo.rows(
            "select column_name, data_type from information_schema.columns"
            " where table_name = 'customer_features'"
        )
    )
    outcome = project.dbt(
        tmp_path,
        "compile",
        "--no-populate-cache",
        "--inline",
        FEATURES.replace("NAMES", json.dumps(json.dumps(list(types)))),
    )
    whole, moving = json.loads(outcome.result.results[0].node.compiled_code)
    assert {types[name] for name in whole} == {"INTEGER"}
    assert set(moving) <= set(types)
