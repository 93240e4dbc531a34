"""Who a customer is and where has a past: delivered with its dates, or kept from the first build on."""

from pathlib import Path

import pytest

PLACES = """
    select as_of_date::varchar, city, attributes_valid_from::varchar from segments.customer_features
    where customer_id = 'moved' order by 1
"""
MOVES = """
    select as_of_date::varchar, from_segment, to_segment, cause from marts.segment_migration
    where segmentation = 'geographic' and direction = 'across' order by all
"""


@pytest.fixture
def deliver(project, tmp_path):
    """Build a shop whose last order is of a day, with some rows of customers."""

    def build(last_day: str, customers: str, *arguments: str):
        days = ["2025-11-03", "2025-12-20", "2026-01-05", last_day]
        orders = [f"{who},{day},10" for who in ("moved", "stays", "other") for day in days]
        (tmp_path / "orders.csv").write_text("\n".join(["customer_id,ordered_at,amount", *orders]))
        (tmp_path / "customers.csv").write_text(customers)
        files = {name: {"file": str(Path(tmp_path) / f"{name}.csv")} for name in ("orders", "customers")}
        # `dbt run` takes up no versions
        return project.build(
            tmp_path,
            *("--exclude-resource-type", "test", "--select"),
            *("+segment_migration", "+input_reconciliation", "+rejected_rows", *arguments),
            inputs=files,
            history_months=2,
            segmentations=["geographic"],
        )

    return build


def test_where_only_the_latest_is_delivered_the_past_begins_with_the_first_build(deliver) -> None:
    header = "customer_id,city,city_population\n"
    first = deliver("2026-01-20", f"{header}moved,Ulm,120000\nstays,Bonn,330000\n")
    assert first.rows(PLACES) == [
        ("2025-11-30", None, None),
        ("2025-12-31", None, None),
        ("2026-01-20", "Ulm", "2026-01-20"),
    ]
    # that we were told is nothing that the customer did
    assert first.rows(MOVES) == [
        ("2026-01-20", "not_known", "city_or_town", "told"),
        ("2026-01-20", "not_known", "large_city", "told"),
    ]
    # the same day once more, with a correction, and the next month with a move
    deliver("2026-01-20", f"{header}moved,Ulm/Donau,120000\nstays,Bonn,330000\n")
    moved = f"{header}moved,Berlin,3700000\nstays,Bonn,330000\n"
    in_february = [
        ("2025-12-31", None, None),
        ("2026-01-31", "Ulm/Donau", "2026-01-20"),
        ("2026-02-03", "Berlin", "2026-02-03"),
    ]
    second = deliver("2026-02-03", moved)
    assert second.rows(PLACES) == in_february
    assert ("2026-02-03", "city_or_town", "metropolis", "customer") in second.rows(MOVES)
    # what was taken up stays where all that can be computed is computed anew
    assert deliver("2026-02-03", moved, "--full-refresh").rows(PLACES) == in_february
    # who is no longer delivered is not known any more
    gone = deliver("2026-02-03", f"{header}stays,Bonn,330000\n", "--full-refresh")
    assert {city for _, city, _ in gone.rows(PLACES)} == {None}


def test_versions_are_delivered_by_valid_from_or_by_updated_at(deliver) -> None:
    moved = "moved,Ulm,120000,2025-12-01\nmoved,Berlin,3700000,2026-01-10 09:00"
    rows = f"{moved}\nstays,Bonn,330000,0001-01-01\n"
    for column in ("valid_from", "updated_at"):
        built = deliver("2026-01-20", f"customer_id,city,city_population,{column}\n{rows}", "--full-refresh")
        assert built.rows(PLACES) == [
            ("2025-11-30", None, None),
            ("2025-12-31", "Ulm", "2025-12-01"),
            ("2026-01-20", "Berlin", "2026-01-10"),
        ], column
        rejected = built.rows("select reasons from marts.rejected_rows")
        # the year 1 says that a row has always held, and not when it was written
        assert rejected == ([] if column == "valid_from" else [("too_early:updated_at",)])


def test_a_version_of_later_is_not_known_yet_and_a_copy_is_rejected(deliver) -> None:
    built = deliver(
        "2026-01-20",
        "customer_id,city,city_population,valid_from\n"
        "moved,Ulm,120000,2025-11-01\nmoved,Berlin,3700000,2026-03-01\nmoved,Ulm,120000,2025-11-01\n",
    )
    assert {city for _, city, _ in built.rows(PLACES)} == {"Ulm"}
    assert built.rows("select row_key, reasons from marts.rejected_rows") == [
        ("moved|2025-11-01 00:00:00", "copy:customer_id+valid_from")
    ]
