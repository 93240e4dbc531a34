"""Features and attributes that somebody defines in variables, without editing a model."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from conftest import Outcome, Project
from engine import Engine, compiled
from hypothesis import given
from test_properties import AS_OF, few, shops

FEATURES = {
    "shoe_orders_60d": {"count": "orders", "where": "category = 'shoes'", "days": 60},
    "orders_ever": {"count": "orders"},
    "hat_spend_12m": {"sum": "amount", "of": "order_items", "where": "category = 'hats'", "days": 365},
    "dearest": {"max": "amount", "of": "orders"},
    "categories": {"distinct": "category", "of": "order_items"},
    "days_since_search": {"days_since": "search", "of": "events"},
    "days_since_first_web_order": {"days_since_first": "order", "where": "channel = 'web'"},
    "mobile_views_90d": {"count": "views", "where": "device = 'mobile'", "days": 90},
    "per_visit": {"count": "visits", "where": "views / searches > 1"},
    "returned": {"sum": "amount", "of": "returns"},
}


@pytest.fixture(scope="module")
def engine(project, tmp_path_factory) -> Engine:
    variables = {"as_of_date": AS_OF.isoformat(), "history_months": 2, "features": FEATURES}
    folder = tmp_path_factory.mktemp("defined")
    return compiled(project, folder, "+features_defined", "+features_rfm", **variables)


def day_of(moment: str):
    return datetime.fromisoformat(moment).date()


@few
@given(shop=shops())
def test_each_feature_is_what_a_loop_over_the_rows_up_to_its_date_finds(engine, shop):
    engine.compute(shop, "features_defined", "features_rfm")
    plain = engine.by_customer("features.features_rfm")
    found = engine.by_customer("features.features_defined")
    assert found.keys() == plain.keys()
    returned_on = dict(
        engine.rows("select order_id, returned_on from staging.stg_orders where is_fully_returned")
    )
    category = {item["order_id"]: item["product_id"] for item in shop["order_items"]}
    for (customer, as_of), row in found.items():
        placed = [
            order
            for order in shop["orders"]
            if order["customer_id"] == customer
            and order["status"] != "cancelled"
            and day_of(order["ordered_at"]) <= as_of
            and not returned_on.get(order["order_id"], as_of + timedelta(1)) <= as_of
        ]
        events = [
            event
            for event in shop["events"]
            if event["customer_id"] == customer and day_of(event["occurred_at"]) <= as_of
        ]

        def age(moment: str, as_of=as_of) -> int:
            return (as_of - day_of(moment)).days

        # compiled over empty tables, of whose categories nothing is known: who has none has null instead of 0
        shoes = [order for order in placed if category[order["order_id"]] == "shoes"]
        hats = [order for order in placed if category[order["order_id"]] == "hats"]
        searches = [age(event["occurred_at"]) for event in events if event["event_type"] == "search"]
        web = [age(order["ordered_at"]) for order in placed if order["channel"] == "web"]
        assert (row["shoe_orders_60d"] or 0) == sum(age(order["ordered_at"]) < 60 for order in shoes)
        assert row["orders_ever"] == len(placed) == plain[customer, as_of]["lifetime_orders"]
        assert (row["hat_spend_12m"] or 0) == sum(
            Decimal(order["amount"]) for order in hats if age(order["ordered_at"]) < 365
        )
        assert row["dearest"] == max((Decimal(order["amount"]) for order in placed), default=None)
        assert (row["categories"] or 0) == len({category[order["order_id"]] for order in placed})
        assert row["days_since_search"] == min(searches, default=None)
        assert row["days_since_first_web_order"] == max(web, default=None)
        assert row["mobile_views_90d"] == sum(
            event["event_type"] == "view" and event["device"] == "mobile" and age(event["occurred_at"]) < 90
            for event in events
        )


ORDERS = {"query": "select 'a' as customer_id, '2024-01-01' as ordered_at, '1' as amount"}

MISTAKES = {
    "nothing is measured": ({"days": 60}, ["one thing that is measured", "count, distinct"]),
    "two things are measured": ({"count": "orders", "sum": "amount"}, ["it says count, sum"]),
    "a key that is none": ({"count": "orders", "day": 60}, ["no key 'day'", "did you mean 'days'?"]),
    "rows that are none": ({"count": "order"}, ["`count` is 'order'", "did you mean 'orders'?"]),
    "a source that is none": ({"sum": "amount", "of": "items"}, ["`of` is 'items'", "'order_items'"]),
    "no source": ({"max": "amount"}, ["`of` is missing"]),
    "a column that is none": ({"sum": "amnt", "of": "orders"}, ["no column 'amnt' of orders", "'amount'"]),
    "a condition on what is not there": (
        {"count": "visits", "where": "category = 'x'"},
        ["no column 'category'"],
    ),
    "a condition that looks elsewhere": (
        {"count": "orders", "where": "amount > (select 1)"},
        ["'select' doesn't belong to a condition"],
    ),
    "days in words": ({"count": "orders", "days": "sixty"}, ["`days` is sixty", "1 to 3660"]),
    "no definition": ("orders", ["must say what is measured"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_feature_stops_the_run_and_says_where_to_mend_it(project, tmp_path, mistake: str):
    written, parts = MISTAKES[mistake]
    features = {"mine": written}
    outcome = project.dbt(tmp_path, "run", parse=False, inputs={"orders": ORDERS}, features=features)
    assert not outcome.success
    told = ["The variable features.mine can't be used", *parts]
    assert [part for part in told if part not in outcome.message] == [], outcome.message


def test_a_mistake_is_said_as_well_where_dbt_has_to_read_the_project_anew(project, tmp_path):
    features = {"mine": {"count": "order"}, "other": "orders", "third": {"days": 3}}
    outcome = project.dbt(tmp_path, "run", parse=True, inputs={"orders": ORDERS}, features=features)
    assert not outcome.success
    assert "The variable features.mine can't be used" in outcome.message, outcome.message


@pytest.mark.parametrize("name", ["lifetime_orders", "rfm", "Gift orders", "order"])
def test_a_feature_has_a_name_of_its_own(project, tmp_path, name: str):
    features = {name: {"count": "orders"}}
    outcome = project.dbt(tmp_path, "run", parse=False, inputs={"orders": ORDERS}, features=features)
    assert not outcome.success and f"The variable features.{name} can't be used" in outcome.message


OWN = """
models:
  - name: segments_own
    description: One row per customer and as-of date.
    config:
      meta:
        segmentation:
          question: Who buys gifts, and who is on the list?
          basis: behavioural
          assignment: first_match
          owner: crm
          otherwise: others
          segments:
            - {name: listed, label: {en: Listed, ko: 등록}, when: credit_band = 'A' and points >= -5}
            - {name: gifts, label: {en: Gifts, ko: 선물}, when: gift_orders >= 1}
            - {name: others, label: {en: Others, ko: 기타}}
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Project:
    """A copy of the project with a segmentation over a feature and attributes of one's own."""
    copy = Project(tmp_path_factory.mktemp("own") / "copy")
    (copy.root / "models" / "segments_own.yml").write_text(OWN, encoding="utf-8")
    (copy.root / "models" / "segments_own.sql").write_text("{{ segmentation() }}\n", encoding="utf-8")
    return copy


def placed(own: Project, folder, days: int) -> Outcome:
    """Build the segmentation on a shop of three customers, two of whom bought a gift."""
    inputs = {
        "orders": {
            "query": """
                select * from (values
                    ('1', 'a', '2024-03-05', '10'),
                    ('2', 'b', '2024-04-20', '10'),
                    ('3', 'c', '2024-06-15', '10')
                ) as orders (order_id, customer_id, ordered_at, amount)
            """
        },
        "order_items": {
            "query": """
                select * from (values ('1', 'gift', '10'), ('2', 'gift', '10'), ('3', 'tea', '10'))
                as items (order_id, product_id, amount)
            """
        },
        "customers": {
            "query": """
                select * from (values ('a', 'A', '-3.5', '2024-01-01'), ('c', 'A', '-7', '2024-01-01'))
                as customers (customer_id, band, points, valid_from)
            """,
            "columns": {"credit_band": "band"},
            "attributes": {"credit_band": "text", "points": "number"},
        },
    }
    return own.run(
        folder,
        *("--select", "+segment_assignments", "+segments_own"),
        inputs=inputs,
        history_months=2,
        segmentations=["own"],
        features={"gift_orders": {"count": "orders", "where": "product_id = 'gift'", "days": days}},
    )


def test_own_attributes_and_features_are_used_in_conditions_and_a_new_definition_counts_at_all_dates(
    own, tmp_path
):
    query = "select as_of_date::varchar, customer_id, own from segments.segment_assignments order by all"
    assert placed(own, tmp_path, 60).rows(query) == [
        ("2024-04-30", "a", "listed"),
        ("2024-04-30", "b", "gifts"),
        ("2024-05-31", "a", "listed"),
        ("2024-05-31", "b", "gifts"),
        ("2024-06-15", "a", "listed"),
        ("2024-06-15", "b", "gifts"),
        ("2024-06-15", "c", "others"),
    ]
    outcome = placed(own, tmp_path, 30)
    assert [row for row in outcome.rows(query) if row[1] == "b"] == [
        ("2024-04-30", "b", "gifts"),
        ("2024-05-31", "b", "others"),
        ("2024-06-15", "b", "others"),
    ]
    evidence = "select evidence from main.segments_own where customer_id = 'a' and as_of_date = '2024-06-15'"
    assert outcome.rows(evidence) == [("credit_band = A, points = -3.5000",)]
