"""What boards say of small made-up marts: the SQL of the boards themselves, in DuckDB, without dbt."""

import re
from functools import cache

import duckdb
import pytest
import yaml
from conftest import PROJECT

from customer_segmentation.dashboard import boards

SEGMENTATION = "rfm"


@cache
def columns() -> dict[str, str]:
    """Return the columns of each mart, with their types, as its contract states them."""
    models = [
        model
        for path in (PROJECT / "models").rglob("*.yml")
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", [])
    ]
    return {
        model["name"]: ", ".join(f"{column['name']} {column['data_type']}" for column in model["columns"])
        for model in models
        if all("data_type" in column for column in model.get("columns", [{}]))
    }


def answer(board: str, query: str, marts: dict[str, list[dict] | str], language: str = "en") -> list[dict]:
    """Return the rows of a board's query, about the segmentation "rfm" where it is about one.

    A mart is rows, in which a column that isn't given is empty, or SQL; those not given have no rows.
    """
    assert set(marts) <= set(columns()), "not a mart"
    marks = {"currency": "EUR", "segmentation": SEGMENTATION}
    spoken = boards.language_of(language)
    with duckdb.connect() as connection:
        for mart, stated in columns().items():
            content = marts.get(mart, [])
            if isinstance(content, str):
                connection.execute(f"create table {mart} as {content}")
                continue
            connection.execute(f"create table {mart} ({stated})")
            for row in content:
                places = ", ".join("?" * len(row))
                connection.execute(
                    f"insert into {mart} ({', '.join(row)}) values ({places})", list(row.values())
                )
        boards.prepare(connection, spoken)
        found = boards.answers(connection, board, boards.written(board, language, marks), spoken)
        return found.rows(query)


def segment(name: str, **more: object) -> dict:
    """Return a row of the mart `segments`."""
    defaults = {"segmentation": SEGMENTATION, "segment": name, "assignment": "first_match", "position": 1}
    return {**defaults, "label": name.title(), "label_ko": name.title(), **more}


def test_a_query_reads_the_queries_before_it():
    rows = [
        {"subject": "input", "name": "orders", "is_present": True},
        {"subject": "column", "name": "orders.status", "is_present": False},
    ]
    found = answer("data_quality", "columns_missing", {"input_coverage": rows})
    assert found == [{"input": "orders", "missing": "status"}]


def moved(source: str | None, target: str | None, customers: int, direction: str, **more: object) -> dict:
    """Return a row of the mart `segment_migration`, at the second date."""
    defaults = {"as_of_date": "2026-06-30", "segmentation": SEGMENTATION, "cause": "customer"}
    return {
        **defaults,
        "from_segment": source,
        "to_segment": target,
        "direction": direction,
        "customers": customers,
        **more,
    }


def counted(name: str, **more: object) -> dict:
    """Return a row of the mart `segment_kpis`, at the second date."""
    dates = {"as_of_date": "2026-06-30", "previous_as_of_date": "2026-05-31"}
    return {
        **dates,
        "segmentation": SEGMENTATION,
        "segment": name,
        "customers": 5,
        "customers_before": 5,
        **more,
    }


# of ten loyal customers four are in a segment since that is not defined any more, and one is in none
REMOVED = {
    "segments": [segment("loyal", segment_rank=1)],
    "segment_kpis": [
        counted("loyal", as_of_date="2026-05-31", previous_as_of_date=None, customers=10),
        counted("loyal"),
        counted("dropped"),
    ],
    "segment_migration": [
        moved("loyal", "loyal", 5, "stayed", cause="none"),
        moved("loyal", "dropped", 4, "across"),
        moved("loyal", None, 1, "left"),
    ],
    "segment_membership": """
        select
            concat('C', who) as customer_id,
            cast(unnest(['2026-05-31', '2026-06-30']) as date) as as_of_date,
            'rfm' as segmentation,
            unnest(['loyal', case when who <= 5 then 'loyal' when who <= 9 then 'dropped' end]) as segment
        from range(1, 11) as customers (who)
    """,
}


def test_who_is_in_a_segment_that_is_no_longer_defined_is_not_out():
    cells = answer("movement", "heat_map", REMOVED)
    assert {(cell["column_name"], cell["tooltip"]) for cell in cells if cell["row_name"] == "1 Loyal"} == {
        ("1", "1 Loyal → Loyal: 50.0 %"),
        ("2", "1 Loyal → Dropped: 40.0 %"),
        ("Out", "1 Loyal → Out: 10.0 %"),
    }
    flows = answer("movement", "flows", REMOVED)
    assert {(flow["from_name"], flow["to_name"], flow["customers"]) for flow in flows} == {
        ("1 Loyal", "1 Loyal", 5),
        ("1 Loyal", "2 Dropped", 4),
        ("1 Loyal", "In no segment", 1),
    }
    moves = answer("movement", "largest_moves", REMOVED)
    assert [move["move"] for move in moves] == ["Loyal → Dropped", "Loyal → outside"]


def test_a_segment_that_is_gone_stands_last_and_is_marked():
    marts = {
        "segments": [
            segment("old", left_out_because="not found again since 2026-05-31", position=1),
            segment("young", position=2),
        ],
        "segment_kpis": [
            counted("old", as_of_date="2026-05-31", previous_as_of_date="2026-04-30"),
            counted("old", customers=0),
            counted("young"),
        ],
        "segment_migration": [moved("old", "young", 3, "across"), moved("old", None, 1, "left")],
    }
    places = answer("movement", "places", marts)
    assert [(row["place"], row["label"]) for row in sorted(places, key=lambda row: row["place"])] == [
        (1, "Young"),
        (2, "Old (gone)"),
    ]
    shares = [row["cell"] for row in answer("movement", "heat_map", marts) if row["row_place"] == 2]
    assert sum(map(int, filter(None, shares))) == 100
    assert "gone stand last" in answer("movement", "heat_map_of", marts)[0]["said"]
    assert "gone" not in answer("movement", "heat_map_of", REMOVED)[0]["said"]


def test_boards_show_segments_in_one_order():
    """By rank, and without ranks by position."""
    for ranks, order in (((1, 2), ["B", "A"]), ((None, None), ["A", "B"])):
        both = [
            {"segment": name, "label": name.upper(), "segment_rank": rank, "position": position}
            for name, rank, position in zip("ab", ranks, (1, 2), strict=True)
        ]
        marts = {
            "segments": [segment(row["segment"], **row) for row in both],
            "segment_profiles": [
                {"segmentation": SEGMENTATION, **row, "customers": 5, "expected_revenue_365d": 9}
                for row in both
            ],
            "segment_kpis": [counted("a"), counted("b")],
        }
        places = sorted(answer("movement", "places", marts), key=lambda row: row["place"])
        assert [row["label"] for row in places] == order
        assert [row["segment"] for row in answer("segments", "expected", marts)] == order
        valued = sorted(answer("value_and_risk", "by_segment", marts), key=lambda row: row["position"])
        assert [row["name"] for row in valued] == order


def test_who_churned_is_a_share_of_those_who_were_active():
    before = {"customers_before": 100, "active_before": 20}
    kpis = [counted("loyal", **before, churned=5, retained=90, departed=10, acquired=0, won_back=0)]
    (since,) = answer("movement", "since", {"segment_kpis": kpis})
    assert (since["churned"], since["churned_share"], since["retained_share"]) == (5, 0.25, 0.9)


# a definition that was taken back: each time it brought moves, also into the segmentation and out of it
REVERTED = {
    "segment_kpis": [
        counted("loyal", as_of_date="2026-03-31", definition_version="A"),
        counted("loyal", as_of_date="2026-04-30", definition_version="A"),
        counted("loyal", as_of_date="2026-05-31", definition_version="B"),
        counted("loyal", as_of_date="2026-06-30", definition_version="A"),
    ],
    "segment_migration": [
        moved("loyal", "new", 1, "across", as_of_date="2026-04-30", cause="refit"),
        moved("loyal", "new", 2, "across", as_of_date="2026-05-31", cause="definition"),
        moved(None, "new", 4, "entered", as_of_date="2026-05-31", cause="definition"),
        moved(None, "new", 8, "entered", as_of_date="2026-05-31"),
        moved("new", "loyal", 16, "across", as_of_date="2026-06-30", cause="definition"),
        moved("new", None, 32, "left", as_of_date="2026-06-30", cause="refit"),
    ],
}


def test_a_definition_that_is_taken_back_has_a_row_for_each_time_and_counts_each_move_once():
    rows = answer("definitions", "versions", REVERTED)
    assert [tuple(row.values()) for row in rows] == [
        ("RFM · A", "31 Mar 2026 to 30 Apr 2026", 0, 1),
        ("RFM · B", "31 May 2026 to 31 May 2026", 6, 0),
        ("RFM · A", "30 Jun 2026 to 30 Jun 2026", 16, 32),
    ]


def test_movement_and_definitions_count_the_same_moves_by_cause():
    causes = answer("movement", "causes", REVERTED)
    versions = answer("definitions", "versions", REVERTED)
    for why, column in (("new definition", "by_definition"), ("new fit", "by_fit")):
        assert sum(row["customers"] for row in causes if row["kind"] == why) == sum(
            row[column] for row in versions
        )
    assert not sum(row["customers"] for row in causes if row["kind"] == "the customer"), (
        "came in by themselves"
    )


def test_a_return_does_not_make_dead_orders_fresh():
    latest = {
        "orders.ordered_at": "2026-01-31",
        "orders.returned_at": "2026-06-30",
        "orders.updated_at": "2026-06-30",
    }
    rows = [
        {"subject": "column", "name": name, "is_present": True, "latest_on": day, "days_behind": behind}
        for (name, day), behind in zip(latest.items(), (150, 0, 0), strict=True)
    ]
    (orders,) = answer("data_quality", "freshness", {"input_coverage": rows})
    assert (orders["input"], str(orders["latest_on"]), orders["days_behind"]) == ("orders", "2026-01-31", 150)


def test_a_row_that_is_rejected_for_two_reasons_counts_once():
    rejected = [
        {
            "input": "orders",
            "reasons": "negative:amount, negative:cost_amount",
            "row_json": '{"amount": "-5"}',
        },
        {"input": "orders", "reasons": "negative:amount", "row_json": '{"amount": "-20"}'},
        {"input": "orders", "reasons": "negative:amount", "row_json": '{"amount": "-30"}'},
    ]
    (row,) = answer("data_quality", "reasons", {"rejected_rows": rejected})
    assert row["rejected"] == 3
    assert (row["place"], row["shape"]) == ("orders.amount", "“-99”"), "the most frequent"


def test_no_gap_and_no_claim_that_fell_is_cut_off():
    gaps = [
        {"subject": "column", "name": f"orders.c{number}", "is_present": True, "null_share": 0.5}
        for number in range(20)
    ]
    assert len(answer("data_quality", "gaps", {"input_coverage": gaps})) == 20
    claims = [{"segmentation": SEGMENTATION, "segment": "loyal", "verdict": "refuted"}] * 20
    marts = {"hypotheses": claims, "segments": [segment("loyal")]}
    assert len(answer("definitions", "claims_that_fell", marts)) == 20


def test_every_criterion_has_a_name():
    model = (PROJECT / "models/marts/judgement/segmentation_validity.sql").read_text(encoding="utf-8")
    listed = re.findall(r"^    '(\w+)',$", model, re.MULTILINE)
    assert [row["criterion"] for row in answer("definitions", "criteria", {})] == listed


COVERED = {"order_items": True, "products": True, "products.category": False}


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ({}, "products.category"),
        ({"order_items": False}, "order_items, products.category"),
        ({"products.category": True}, "products with a category that these customers bought"),
    ],
    ids=str,
)
def test_what_favourite_categories_need_is_only_what_is_lacking(missing: dict, said: str):
    there = [
        {"subject": "column" if "." in name else "input", "name": name, "is_present": is_present}
        for name, is_present in (COVERED | missing).items()
    ]
    assert answer("segments", "inputs", {"input_coverage": there})[0]["lacking"] == said


@pytest.mark.parametrize(("board", "query"), [("segments", "about"), ("movement", "state")])
def test_a_segmentation_without_a_question_has_its_name_for_a_heading(board: str, query: str):
    (row,) = answer(board, query, {"segments": [], "segment_kpis": [counted("a")]})
    assert row["question"] == "RFM"


def test_an_interval_of_a_share_stays_between_none_and_all():
    cohort = {"is_complete": True, "customers": 1000}
    rows = [
        {**cohort, "months_since_first_order": 1, "active_customers": 0},
        {**cohort, "months_since_first_order": 2, "active_customers": 1000},
    ]
    none, everybody = answer("overview", "comes_back", {"cohort_retention": rows})
    assert (none["low"], everybody["high"]) == (0, 1)
    assert 0 < none["high"] < 0.01 and 0.99 < everybody["low"] < 1


def test_the_heading_of_movement_says_what_it_counts_since_because_the_flows_begin_earlier():
    (row,) = answer("movement", "state", {"segment_kpis": [counted("a")]})
    dates = "As of 30 Jun 2026. Numbers and largest moves are those since 31 May 2026"
    assert row["said"].startswith(dates)
