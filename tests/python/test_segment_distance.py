"""The way to the next better segment: who goes it arrives, and what an order changes is told in orders."""

import itertools
import json
import random

import duckdb
import kept
import pytest
from conftest import Outcome

from customer_segmentation.definitions.conditions import WHOLE
from customer_segmentation.definitions.way_up import SCORED, placement, read_segmentations, unmet_terms
from customer_segmentation.definitions.ways import MOVEMENTS, Segment, Segmentation, terms_of, ways_into

# what makes a segmentation: alternatives of it are drawn at random
TERMS = [
    *["days >= 2", "days < 3", "days between 1 and 2", "days = 2", "days <> 1", "days in (0, 3)"],
    *[
        "amount > 1.5",
        "amount <= 1.5",
        "amount = 2",
        "not amount > 2",
        "not (amount > 1 and days < 2)",
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


def drawn_segmentation(number: int) -> Segmentation:
    """Draw a segmentation of three to five segments, ranked in any order, some with all that is left."""
    chance = random.Random(number)

    def condition() -> str:
        either = [
            " and ".join(chance.sample(TERMS, chance.randint(1, 2))) for _ in range(chance.randint(1, 2))
        ]
        return " or ".join(either)

    segments = [
        Segment(f"s{place}", condition(), chance.randint(1, 4)) for place in range(chance.randint(2, 4))
    ]
    if chance.random() < 0.6:
        segments.append(Segment("rest", None, 0))
    return Segmentation(f"d{number}", condition() if chance.random() < 0.5 else None, tuple(segments))


@pytest.mark.drawn
def test_the_ways_into_a_segment_lead_nowhere_else_and_miss_nobody():
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("create table customers (days integer, amount double, kind varchar)")
    connection.executemany(
        "insert into customers values (?, ?, ?)", list(itertools.product(*VALUES.values()))
    )
    for number in range(kept.examples(40, 400)):
        segmentation = drawn_segmentation(number)
        for segment in segmentation.segments:
            ways = [terms_of(way.asks) for way in ways_into(segmentation, segment)]
            is_on_a_way = " or ".join(
                f"({' and '.join(term.is_met for term in terms) or 'true'})" for terms in ways
            )
            wrong = connection.execute(
                f"""
                select *
                from (
                    select *, {placement(segmentation)} as segment, ({is_on_a_way or "false"}) as is_met
                    from customers
                )
                where is_met <> coalesce(segment = '{segment.name}', false)
                """
            ).fetchall()
            assert wrong == [], (segmentation, segment, ways)


def unmet(
    segmentation: Segmentation, columns: str, customers: list[tuple], cutoffs: tuple[float, ...] = ()
) -> list[tuple]:
    """Return (customer, segment, next one, term, value, orders that meet it and all terms, whether sure)."""
    needed = ("lifetime_orders", *SCORED, *SCORED.values())
    absent = "".join(f", null::integer as {name}" for name in dict.fromkeys(needed) if name not in columns)
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(f"""
            create table everybody as
            select *, date '2026-02-28' as as_of_date {absent}
            from (values {", ".join(map(str, customers))}) as customers ({columns})
        """)
        return connection.execute(f"""
            select customer_id, segment, next_segment, term, value, orders_needed, orders_to_next, is_complete
            from ({unmet_terms([segmentation], cutoffs)})
            order by customer_id, term
        """).fetchall()


def test_the_way_up_is_what_the_next_tier_asks_for_and_the_customer_lacks():
    tiers = Segmentation(
        "tier",
        "lifetime_orders > 0",
        (
            Segment("gold", "frequency_score >= 4 and orders_12m > 5", 3),
            Segment("silver", "revenue_12m > 100 and orders_12m >= 2", 2),
            Segment("member", None, 1),
        ),
    )
    columns = "customer_id, lifetime_orders, orders_12m, frequency_score, revenue_12m"
    customers = [
        ("one_order_short", 1, 1, 1, 150),
        ("spent_as_much", 2, 2, 2, 100),
        ("spends_little", 1, 1, 1, 100),
        ("silver", 4, 4, 3, 150),
        ("gold", 7, 7, 4, 50),
        ("prospect", 0, 0, 0, 0),
    ]
    # the score of 4 begins after the cut-off of 6 orders; nobody knows how many orders bring an amount
    assert unmet(tiers, columns, customers, cutoffs=(1, 2, 6, 9)) == [
        ("one_order_short", "member", "silver", "orders_12m >= 2", 1, 1, 1, True),
        ("silver", "silver", "gold", "frequency_score >= 4", 3, 3, 3, True),
        ("silver", "silver", "gold", "orders_12m >= 6", 4, 2, 3, True),
        ("spends_little", "member", "silver", "orders_12m >= 2", 1, 1, None, True),
        ("spends_little", "member", "silver", "revenue_12m > 100", 100, None, None, True),
        ("spent_as_much", "member", "silver", "revenue_12m > 100", 100, None, None, True),
    ]


def test_the_way_up_passes_earlier_segments_and_asks_nobody_to_be_younger_or_worse():
    journey = Segmentation(
        "journey",
        None,
        (
            Segment("premium", "price_level >= 2 and recency_score >= 4", 5),
            Segment("gone", "days_since_last_order > 60", 1),
            Segment("late", "days_since_last_order > 20", 2),
            Segment("new", "days_since_first_order <= 30", 3),
            Segment("dear", "price_level >= 2", 3),
            Segment("active", None, 4),
        ),
    )
    columns = "customer_id, days_since_first_order, days_since_last_order, recency_score, price_level"
    customers = [
        # an order puts days at 0: nobody becomes late again, and only time makes older
        ("gone_for_long", 400, 99, 2, 1),
        ("ordered_lately", 20, 5, 5, 1),
        # would be premium at once, so nothing keeps it in between
        ("dear_and_late", 400, 45, 3, 3),
        ("the_best", 400, 5, 5, 2),
    ]
    assert unmet(journey, columns, customers) == [
        ("dear_and_late", "late", "premium", "recency_score >= 4", 3, 1, 1, True),
        ("gone_for_long", "gone", "active", "days_since_last_order <= 20", 99, 1, 1, True),
        ("ordered_lately", "new", "active", "days_since_first_order >= 31", 20, None, None, True),
    ]


def test_a_way_is_not_sure_where_a_condition_is_no_comparison_of_one_feature():
    decided = Segmentation(
        "decided",
        None,
        (
            Segment("decided", "kind = 'person' and orders_12m >= 3 and orders_12m > visits_90d", 3),
            Segment("person", "kind = 'person'", 2),
            Segment("business", None, 1),
        ),
    )
    columns = "customer_id, kind, orders_12m, visits_90d"
    customers = [
        ("a_business", "business", 1, 0),
        ("looks_around", "person", 2, 9),
        ("one_order_short", "person", 2, 0),
    ]
    assert unmet(decided, columns, customers) == [
        ("a_business", "business", "person", "kind = 'person'", None, None, None, True),
        ("looks_around", "person", "decided", "orders_12m > visits_90d", None, None, None, False),
        ("looks_around", "person", "decided", "orders_12m >= 3", 2, 1, None, False),
        ("one_order_short", "person", "decided", "orders_12m >= 3", 2, 1, 1, False),
    ]


def test_an_order_that_leads_past_a_segment_is_no_way_into_it():
    """The frequency score after one more order is told from the cut-offs."""
    between = Segmentation(
        "between",
        None,
        (
            Segment("three", "frequency_score = 3 and recency_score >= 4", 2),
            Segment("others", None, 1),
        ),
    )
    columns = "customer_id, lifetime_orders, frequency_score, recency_score"
    customers = [("stays_three", 3, 3, 2), ("becomes_four", 6, 3, 2), ("becomes_three", 2, 2, 2)]
    found = unmet(between, columns, customers, cutoffs=(1, 2, 6, 9))
    assert [(customer, term) for customer, _, _, term, *_ in found] == [
        ("becomes_three", "frequency_score = 3"),
        ("becomes_three", "recency_score >= 4"),
        ("stays_three", "recency_score >= 4"),
    ]


def test_segments_without_an_order_have_no_way_up():
    rows = [
        ("tier", None, "rest", None, 1, 1),
        ("tier", None, "gold", "orders_12m > 5", 2, 2),
        ("flat", None, "a", "orders_12m > 5", 1, 7),
        ("flat", None, "b", None, 2, 7),
    ]
    (tier,) = read_segmentations(rows)
    # what takes all that is left comes last, wherever it is written
    assert [segment.name for segment in tier.segments] == ["gold", "rest"]
    nobody = unmet_terms([]).replace("from everybody", "from (select 1 as lifetime_orders)")
    assert duckdb.sql(nobody).fetchall() == []


def test_where_no_way_up_asks_for_anything_nothing_lacks():
    """Everybody is in the best segment already, or nobody can be."""
    tiers = [
        Segmentation("all", None, (Segment("high", "true", 2), Segment("low", None, 1))),
        Segmentation("none", None, (Segment("high", "x > 2 and x < 1", 2), Segment("low", None, 1))),
        Segmentation("either", None, (Segment("high", "true or x > 2", 2), Segment("low", None, 1))),
    ]
    for segmentation in tiers:
        assert unmet(segmentation, "customer_id, x", [("a", 0), ("b", 3)]) == []


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
(select * from segments.customer_features where as_of_date = (select max(as_of_date) from marts.customers))
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


def test_features_that_are_taken_for_whole_numbers_are(demo: Outcome):
    types = dict(
        demo.rows(
            "select column_name, data_type from information_schema.columns"
            " where table_name = 'customer_features'"
        )
    )
    assert {kind for name, kind in types.items() if name in WHOLE} == {"INTEGER"}
    assert set(WHOLE) <= set(types)
    assert {*MOVEMENTS, *SCORED, *SCORED.values()} <= set(types)
