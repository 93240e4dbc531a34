"""A refresh ends where a full build would: after any batch of new, late, corrected and deleted rows."""

import csv
import shutil
from datetime import date, datetime, timedelta
from pathlib import Path

import kept
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

CUSTOMERS = ["o'c", "c\\1", *(f"c{number}" for number in range(2, 14))]  # ids that SQL must quote are ids too
FIRST, LAST = date(2025, 9, 3), date(2026, 1, 29)
HEADERS = {
    "orders": [
        *("order_id", "customer_id", "ordered_at", "amount", "status", "channel"),
        *("returned_amount", "returned_at"),
    ],
    "order_items": ["order_item_id", "order_id", "product_id", "quantity", "amount"],
    "products": ["product_id", "category"],
    "events": ["event_id", "customer_id", "occurred_at", "event_type", "device", "product_id"],
    "consents": ["customer_id", "channel", "is_granted", "changed_at"],
    "customers": ["customer_id", "created_at", "city"],
}
# all that is brought up to date, up to the published record and what would restate it
BUILT = ("+segment_moves", "+restatement_due", "fits_made_with")
# all but the last are about the refresh itself; that one keeps what nobody's future depends on any more
NOT_COMPARED = ("changed_rows", "due_buckets", "rows_before", "changed_customers", "purchases_if_alive")


def _shop() -> dict[str, list[list]]:
    """A small shop: the same rows in every run. Of product p4 it does not know yet that it exists."""
    rows = {name: [] for name in HEADERS}
    rows["products"] = [["p1", "tea"], ["p2", "cups"], ["p3", "tea"]]
    for number, customer in enumerate(CUSTOMERS[:-2]):
        rows["customers"].append([customer, FIRST.isoformat(), f"city {number % 3}"])
        rows["consents"].append([customer, "email", "true", (FIRST + timedelta(days=number)).isoformat()])
        for visit in range(1 + number % 5):
            day = FIRST + timedelta(days=(number * 37 + visit * 31) % (LAST - FIRST).days)
            _order(rows, customer, day, 10 + number * 3 + visit)
            _event(rows, customer, day, "add_to_cart")
    _order(rows, CUSTOMERS[0], LAST, 20)
    rows["orders"].append(["bad", "", LAST.isoformat(), "x", "", "", "", ""])
    rows["order_items"].append(["early", rows["orders"][0][0], "p4", 2, 9])
    _event(rows, CUSTOMERS[2], LAST - timedelta(days=45), "add_to_cart", "p4")
    return rows


def _order(rows: dict, customer: str, day: date, amount: int) -> None:
    order = f"o{len(rows['orders'])}-{len(rows['order_items'])}"
    at = datetime.combine(day, datetime.min.time()) + timedelta(hours=amount % 24)
    channel = "web" if amount % 2 else "store"
    rows["orders"].append([order, customer, at.isoformat(sep=" "), amount, "completed", channel, 0, ""])
    for product in ("p1", "p2", "p3")[: 1 + amount % 3]:
        rows["order_items"].append([f"i{len(rows['order_items'])}-{order}", order, product, 1, amount / 2])


def _event(rows: dict, customer: str, day: date, kind: str, product: str = "p2") -> None:
    number = len(rows["events"])
    at = datetime.combine(day, datetime.min.time()) + timedelta(hours=12)
    device = ("phone", "desk")[number % 2]
    rows["events"].append([f"e{number}", customer, at.isoformat(sep=" "), kind, device, product])


def _write(rows: dict, folder: Path) -> dict:
    folder.mkdir(parents=True, exist_ok=True)
    for name, header in HEADERS.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows[name]])
    return {name: {"file": str(folder / f"{name}.csv")} for name in HEADERS}


places = st.integers(0, 10_000)
days_back = st.integers(0, 60)
changes = st.lists(
    st.one_of(
        st.tuples(st.just("new order"), places, days_back),
        st.tuples(st.just("corrected order"), places, st.integers(1, 99)),
        st.tuples(st.just("returned order"), places, days_back),
        st.tuples(st.just("other customer's order"), places, places),
        st.tuples(st.just("deleted order"), places, st.just(0)),
        st.tuples(st.just("same order twice"), places, st.just(0)),
        st.tuples(st.just("same order of another customer"), places, places),
        st.tuples(st.just("deleted item"), places, st.just(0)),
        st.tuples(st.just("mended row"), places, st.just(0)),
        st.tuples(st.just("other category"), places, st.just(0)),
        st.tuples(st.just("new product"), st.just(0), st.just(0)),
        st.tuples(st.just("deleted product"), places, st.just(0)),
        st.tuples(st.just("event"), places, days_back),
        st.tuples(st.just("deleted event"), places, st.just(0)),
        st.tuples(st.just("consent"), places, days_back),
        st.tuples(st.just("moved customer"), places, st.just(0)),
        st.tuples(st.just("deleted customer"), places, st.just(0)),
    ),
    min_size=3,
    max_size=12,
)


def _apply(rows: dict, batch: list, today: date) -> None:
    for kind, place, number in batch:
        customer = CUSTOMERS[place % len(CUSTOMERS)]
        order = rows["orders"][place % len(rows["orders"])]
        match kind:
            case "new order":
                _order(rows, customer, today - timedelta(days=number), 5 + place % 50)
            case "corrected order":
                order[3] = number
            case "returned order":
                order[6], order[7] = order[3], (today - timedelta(days=number)).isoformat()
            case "other customer's order":
                order[1] = CUSTOMERS[number % len(CUSTOMERS)]
            case "deleted order":
                rows["orders"].remove(order)
            case "same order twice":
                rows["orders"].append([*order[:3], 7, *order[4:]])
            case "same order of another customer":
                rows["orders"].append([order[0], CUSTOMERS[number % len(CUSTOMERS)], order[2], 8, *order[4:]])
            case "deleted item":
                rows["order_items"].pop(place % len(rows["order_items"]))
            case "mended row":
                rows["orders"] = [
                    [row[0], customer, row[2], 9, *row[4:]] if row[0] == "bad" else row
                    for row in rows["orders"]
                ]
            case "other category":
                rows["products"][place % len(rows["products"])][1] = ("tea", "cups", "")[place % 3]
            case "new product" if len(rows["products"]) < 4:
                rows["products"].append(["p4", "tea"])
            case "deleted product" if len(rows["products"]) > 1:
                rows["products"].pop(place % len(rows["products"]))
            case "event":
                _event(rows, customer, today - timedelta(days=number), ("view", "purchase")[place % 2])
            case "deleted event":
                rows["events"].pop(place % len(rows["events"]))
            case "consent":
                day = today - timedelta(days=number)
                rows["consents"].append([customer, "email", ("true", "false")[place % 2], day.isoformat()])
            case "moved customer":
                rows["customers"][place % len(rows["customers"])][2] = "elsewhere"
            case "deleted customer" if len(rows["customers"]) > 1:
                rows["customers"].pop(place % len(rows["customers"]))


KINDS = (
    *("new order", "corrected order", "returned order", "other customer's order", "deleted order"),
    *("same order twice", "same order of another customer", "deleted item", "mended row"),
    *("other category", "new product", "event", "deleted event", "consent"),
    *("moved customer", "deleted customer"),
)
ONE_OF_EACH = [(kind, 7 * number + 1, 3 * number) for number, kind in enumerate(KINDS)]
OVER_THE_MONTHS_TURN = [(ONE_OF_EACH, 3), ([("deleted product", 1, 0), ("returned order", 9, 0)], 1)]


@pytest.fixture(scope="module")
def built(project, tmp_path_factory):
    """The shop as it was built first, and the variables that it was built with."""
    folder = tmp_path_factory.mktemp("refresh")
    variables = {
        "inputs": _write(_shop(), folder / "data"),
        "history_months": 3,
        "segmentations": ["rfm", "lifecycle", "geographic"],
    }
    project.run(folder, "--select", *BUILT, **variables)
    return folder, variables


def _differences(one: Path, other: Path, latest_only: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Rows that two databases do not share, of every table that is not about the refresh itself."""
    import duckdb

    found = {}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{one}' as one (read_only); attach '{other}' as other (read_only)")
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'one' order by all"
        ).fetchall()
        for schema, table in tables:
            if table in NOT_COMPARED:
                continue
            columns = connection.execute(f"describe one.{schema}.{table}").fetchall()
            names = [row[0] for row in columns if row[0] != "published_at"]
            where = ""
            if "as_of_date" in names and table in latest_only:
                where = "where as_of_date = (select max(as_of_date) from other.staging.as_of_dates)"
            chosen = ", ".join(names)
            counts = [
                connection.execute(
                    f"select count(*) from (select {chosen} from {a}.{schema}.{table} {where} "
                    f"except all select {chosen} from {b}.{schema}.{table} {where})"
                ).fetchone()[0]
                for a, b in (("one", "other"), ("other", "one"))
            ]
            if any(counts):
                found[f"{schema}.{table}"] = tuple(counts)
    return found


@pytest.mark.drawn
@settings(
    max_examples=kept.examples(1, 4),
    phases=[Phase.explicit, *([Phase.generate] if kept.LONG else [])],
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(batches=OVER_THE_MONTHS_TURN)
@given(batches=st.lists(st.tuples(changes, st.integers(0, 3)), min_size=1, max_size=2))
def test_a_refresh_ends_where_a_full_build_with_the_same_fits_would(
    project, built, tmp_path_factory, batches
):
    """Whatever comes, day after day; price levels of closed dates may be left to the next full build."""
    folder, variables = built
    here, there = (tmp_path_factory.mktemp(name) / "build" for name in ("refreshed", "rebuilt"))
    for place in (here, there):
        shutil.copytree(folder / "build", place)
    rows, today = _shop(), LAST
    for batch, days in batches:
        today += timedelta(days=days)
        _order(rows, CUSTOMERS[1], today, 11)
        _apply(rows, batch, today)
        _write(rows, folder / "data")
        selection = ("--select", *BUILT, "--exclude", "tag:fit")
        refreshed = project.run(here.parent, *selection, **variables, refresh=True)
        rebuilt = project.run(there.parent, *selection, **variables)
        assert not _differences(refreshed.database, rebuilt.database, ("features_purchasing",))


def test_a_refresh_does_only_what_changed(project, built, tmp_path):
    """One late order concerns one customer."""
    folder, variables = built
    shutil.copytree(folder / "build", tmp_path / "build")
    rows = _shop()
    _order(rows, "c3", LAST - timedelta(days=40), 25)
    _write(rows, folder / "data")
    refreshed = project.run(tmp_path, "--select", *BUILT, "--exclude", "tag:fit", **variables, refresh=True)
    assert refreshed.rows("features.changed_customers") == [("c3", LAST - timedelta(days=40))]
    changed = refreshed.rows(
        "select input, count(*) from staging.changed_rows where change = 'new' group by 1"
    )
    assert sorted(changed) == [("order_items", 2), ("orders", 1)]


def test_a_refresh_needs_a_build_that_finished(project, built, tmp_path):
    """Else some models would know of changes that others never hear of."""
    folder, variables = built
    _write(_shop(), folder / "data")
    outcome = project.dbt(tmp_path, "run", "--select", "+features_rfm", **variables, refresh=True)
    assert not outcome.success
    assert "nothing to bring up to date yet" in outcome.message

    shutil.copytree(folder / "build", tmp_path / "build", dirs_exist_ok=True)
    project.run(tmp_path, "--select", "features_rfm", **variables)
    outcome = project.dbt(tmp_path, "run", "--select", "+features_rfm", **variables, refresh=True)
    assert not outcome.success
    assert "built only some of the models" in outcome.message


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"max_amount": 50}, "checked_orders was built by other SQL than it has now"),
        ({"discount_rate": 0.2}, "discount_rate is 0.2, and the stored fits were made with 0.1"),
        ({"as_of_date": LAST - timedelta(days=9)}, "a refresh follows time forwards only"),
    ],
)
def test_a_refresh_does_not_mix_what_two_variables_make(project, built, tmp_path, changed, message):
    """A variable that changes closed dates too asks for a full build."""
    folder, variables = built
    _write(_shop(), folder / "data")
    shutil.copytree(folder / "build", tmp_path / "build")
    changed = {name: str(value) if name == "as_of_date" else value for name, value in changed.items()}
    selection = ("--select", *BUILT, "--exclude", "tag:fit")
    outcome = project.dbt(tmp_path, "run", *selection, **variables, **changed, refresh=True)
    assert not outcome.success
    assert message in outcome.message


def test_a_refresh_does_not_mix_what_two_headers_make(project, built, tmp_path):
    """A new column changes what is known of rows that are as they were."""
    folder, variables = built
    inputs = _write(_shop(), tmp_path / "data")
    orders = tmp_path / "data" / "orders.csv"
    header, *lines = orders.read_text().splitlines()
    orders.write_text("\n".join([f"{header},discount_amount", *(f"{line}," for line in lines)]) + "\n")
    shutil.copytree(folder / "build", tmp_path / "build")
    selection = ("--select", *BUILT, "--exclude", "tag:fit")
    outcome = project.dbt(tmp_path, "run", *selection, **{**variables, "inputs": {**inputs}}, refresh=True)
    assert not outcome.success
    assert "was built by other SQL than it has now" in outcome.message


def test_a_refresh_makes_no_fits(project, built, tmp_path):
    """Else closed dates would stay under the old ones and the open one come under the new."""
    folder, variables = built
    _write(_shop(), folder / "data")
    shutil.copytree(folder / "build", tmp_path / "build")
    outcome = project.dbt(tmp_path, "run", "--select", *BUILT, **variables, refresh=True)
    assert not outcome.success
    assert "A refresh applies the stored fits and makes none" in outcome.message
