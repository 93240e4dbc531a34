"""A daily run ends where a full build would: after any batch of new, late, corrected and deleted rows."""

import csv
import shutil
from collections import defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import kept
import pytest
from conftest import Outcome
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
# the inputs that tables of facts rest on
SAYING_WHAT_IS_NEW = ("orders", "order_items", "products", "events")
# what is computed of customers, up to where they are placed
BUILT = ("+segment_history", "+restatement_due")
# what is learned, which a full build would learn anew from what is known now
FITS = (
    *("fit_dates", "fits_due", "fit_clusters", "fit_lifetime", "fit_next_order", "fit_order_ratios"),
    *("fit_outcome_rates", "fit_evaluation", "evaluation_holdout"),
)
COMPARED = {
    "staging": (
        *("stg_orders", "stg_order_items", "stg_events", "stg_customers", "stg_products", "stg_consents"),
        *("checked_orders", "checked_order_items", "checked_events"),
    ),
    "features": (
        *("order_days", "visits", "category_months", "known_customers"),
        *("features_rfm", "features_purchasing", "features_browsing", "features_reach"),
    ),
    "fits": ("fit_rfm_cutoffs", "fit_interpurchase"),
    "evaluation": ("fit_value_cutoffs",),
    "segments": ("latest_features", "segment_assignments"),
}


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


def _write_with_loads(rows: dict, folder: Path, today: date) -> dict:
    """Write the rows with the time at which each was loaded: today's, unless it was there as it is before."""
    inputs = _write(rows, folder)
    for name in SAYING_WHAT_IS_NEW:
        path, loads = folder / f"{name}.csv", folder / f"{name}_loads.csv"
        before = defaultdict(list)
        if loads.exists():
            with loads.open(encoding="utf-8", newline="") as file:
                for *row, at in csv.reader(file):
                    before[tuple(row)].append(at)
        with path.open(encoding="utf-8", newline="") as file:
            header, *written = csv.reader(file)
        loaded = [[*row, (before[tuple(row)] or [f"{today} 02:00:00"]).pop(0)] for row in written]
        with loads.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(loaded)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([[*header, "written"], *loaded])
        inputs[name]["loaded_at"] = "written"
    return inputs


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
        st.tuples(st.just("bad copy of an order"), places, places),
        st.tuples(st.just("copy of an order for nobody"), places, st.just(0)),
        st.tuples(st.just("line of an unknown order"), places, places),
        st.tuples(st.just("event of nobody"), places, st.just(0)),
        st.tuples(st.just("order of tomorrow"), places, st.just(0)),
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
            # without those of the turn of the month the data would end before what is published
            case "deleted order" if order[2] < LAST.isoformat():
                rows["orders"].remove(order)
            case "same order twice":
                rows["orders"].append([*order[:3], 7, *order[4:]])
            case "same order of another customer":
                rows["orders"].append([order[0], CUSTOMERS[number % len(CUSTOMERS)], order[2], 8, *order[4:]])
            case "bad copy of an order":
                rows["orders"].append(
                    [order[0], CUSTOMERS[number % len(CUSTOMERS)], order[2], "x", *order[4:]]
                )
            case "copy of an order for nobody":
                rows["orders"].append([order[0], "", order[2], 8, *order[4:]])
            case "line of an unknown order":
                item = rows["order_items"][place % len(rows["order_items"])]
                rows["order_items"].append([item[0], f"unknown{number % 2}", *item[2:]])
                rows["order_items"].append([f"{item[0]}-of-{number}", f"unknown{number % 2}", *item[2:]])
                if number % 3 == 0:  # it is known from now on
                    rows["orders"].append([f"unknown{number % 2}", customer, *order[2:]])
            case "event of nobody":
                event = rows["events"][place % len(rows["events"])]
                rows["events"].append([event[0], "", *event[2:]])
            case "order of tomorrow":
                _order(rows, customer, date(2026, 2, 3), 12)
                rows["orders"].append([f"old{place}", customer, "1969-01-01", 9, *order[4:]])
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
    *("bad copy of an order", "copy of an order for nobody", "line of an unknown order", "event of nobody"),
    *("other category", "new product", "event", "deleted event", "consent"),
    *("moved customer", "deleted customer"),
)
ONE_OF_EACH = [(kind, 7 * number + 1, 3 * number) for number, kind in enumerate(KINDS)]
OVER_THE_MONTHS_TURN = [(ONE_OF_EACH, 3), ([("deleted product", 1, 0), ("returned order", 9, 0)], 1)]


@pytest.fixture(scope="module")
def built(project, tmp_path_factory):
    """The shop as it was built first, and the variables that it was built with."""
    folder = tmp_path_factory.mktemp("daily")
    variables = {
        "inputs": _write(_shop(), folder / "data"),
        "history_months": 3,
        "segmentations": ["rfm", "lifecycle", "geographic"],
    }
    project.run(folder, "--select", *BUILT, **variables)
    return folder, variables


@pytest.fixture
def shop(built, tmp_path):
    """A copy of the shop to go on with: its folder, its variables and its rows."""
    folder, variables = built
    shutil.copytree(folder / "build", tmp_path / "build")
    rows = _shop()
    return tmp_path, variables | {"inputs": _write(rows, tmp_path / "data")}, rows


def _differences(one: Path, other: Path) -> dict[str, tuple[int, int]]:
    """Rows that two databases do not share; of what is said by date, those of the latest date."""
    found = {}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{one}' as one (read_only); attach '{other}' as other (read_only)")
        for table in (f"{schema}.{name}" for schema, names in COMPARED.items() for name in names):
            names = [row[0] for row in connection.execute(f"describe one.{table}").fetchall()]
            date_column = next((name for name in ("as_of_date", "fitted_on") if name in names), None)
            latest = "(select max(as_of_date) from other.staging.as_of_dates)"
            where = f"where {date_column} = {latest}" if date_column else ""
            counts = [
                connection.execute(
                    f"select count(*) from (select {', '.join(names)} from {a}.{table} {where} "
                    f"except all select {', '.join(names)} from {b}.{table} {where})"
                ).fetchone()[0]
                for a, b in (("one", "other"), ("other", "one"))
            ]
            if any(counts):
                found[table] = tuple(counts)
        # what a run does not read again keeps the periods that it had: the same up to any date
        one_by_date, other_by_date = (
            connection.execute(
                "select customer_id, as_of_date, sum(history_hash), sum(revenue) "
                f"from {database}.features.customer_periods "
                f"inner join {database}.staging.as_of_dates on period_end <= as_of_date "
                "group by all order by all"
            ).fetchall()
            for database in ("one", "other")
        )
        if one_by_date != other_by_date:
            found["features.customer_periods"] = (len(one_by_date), len(other_by_date))
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
def test_a_chain_of_daily_runs_ends_where_a_full_build_with_the_same_fits_would(
    project, built, tmp_path_factory, batches
):
    folder, variables = built
    here, there = (tmp_path_factory.mktemp(name) / "build" for name in ("daily", "anew"))
    shutil.copytree(folder / "build", here)
    rows, today = _shop(), LAST
    for batch, days in batches:
        today += timedelta(days=days)
        _order(rows, CUSTOMERS[1], today, 11)
        _apply(rows, batch, today)
        _write(rows, folder / "data")
        daily = project.run(here.parent, "--select", *BUILT, **variables)
    shutil.copytree(here, there)
    selection = ("--select", *BUILT, "--exclude", *FITS, "--full-refresh")
    anew = project.run(there.parent, *selection, **variables)
    assert not _differences(daily.database, anew.database)


@pytest.fixture(scope="module")
def built_with_loads(project, tmp_path_factory):
    """The same shop, whose rows say when they were loaded."""
    folder = tmp_path_factory.mktemp("loads")
    inputs = _write_with_loads(_shop(), folder / "data", LAST)
    variables = {"inputs": inputs, "history_months": 3, "segmentations": ["rfm", "lifecycle", "geographic"]}
    project.run(folder, "--select", *BUILT, **variables)
    return folder, variables


NEVER_SEEN = {f"deleted {name}" for name in ("order", "item", "product", "event")}
SEEN = [change for change in ONE_OF_EACH if change[0] not in NEVER_SEEN]


@pytest.mark.drawn
@settings(
    max_examples=kept.examples(1, 12),
    phases=[Phase.explicit, *([Phase.generate] if kept.LONG else [])],
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(batches=[(SEEN, 3), (SEEN[::-1], 0), ([("returned order", 9, 0), ("corrected order", 9, 5)], 1)])
@given(
    batches=st.lists(
        st.tuples(
            changes.map(lambda batch: [one for one in batch if one[0] not in NEVER_SEEN]), st.integers(0, 3)
        ),
        min_size=1,
        max_size=3,
    )
)
def test_so_does_a_chain_of_runs_that_read_only_customers_of_whom_anything_is_new(
    project, built_with_loads, tmp_path_factory, batches
):
    folder, variables = built_with_loads
    shop, there = tmp_path_factory.mktemp("daily"), tmp_path_factory.mktemp("anew") / "build"
    shutil.copytree(folder, shop, dirs_exist_ok=True)
    variables = variables | {
        "inputs": {
            name: mapping | {"file": str(shop / "data" / f"{name}.csv")}
            for name, mapping in variables["inputs"].items()
        }
    }
    rows, today = _shop(), LAST
    for batch, days in batches:
        today += timedelta(days=days)
        _order(rows, CUSTOMERS[1], today, 11)
        _apply(rows, batch, today)
        _write_with_loads(rows, shop / "data", today)
        daily = project.run(shop, "--select", *BUILT, **variables)
        assert daily.rows("select count(*) from staging.customers_with_news") > [(0,)]
    shutil.copytree(shop / "build", there)
    selection = ("--select", *BUILT, "--exclude", *FITS, "--full-refresh")
    anew = project.run(there.parent, *selection, **variables)
    assert not _differences(daily.database, anew.database)


def test_a_run_of_few_models_in_between_leaves_nothing_out(project, built_with_loads, tmp_path):
    folder, variables = built_with_loads
    shutil.copytree(folder, tmp_path / "daily")
    variables |= {
        "inputs": {
            name: mapping | {"file": str(tmp_path / "daily" / "data" / f"{name}.csv")}
            for name, mapping in variables["inputs"].items()
        }
    }
    rows = _shop()
    for day, selected in enumerate((("+stg_orders",), BUILT)):
        rows["orders"][3][1] = CUSTOMERS[day]  # it moves to another customer, and on
        _order(rows, CUSTOMERS[5], LAST + timedelta(days=day), 11)
        _write_with_loads(rows, tmp_path / "daily" / "data", LAST + timedelta(days=day + 1))
        daily = project.run(tmp_path / "daily", "--select", *selected, **variables)
    shutil.copytree(tmp_path / "daily" / "build", tmp_path / "anew" / "build")
    selection = ("--select", *BUILT, "--exclude", *FITS, "--full-refresh")
    anew = project.run(tmp_path / "anew", *selection, **variables)
    assert not _differences(daily.database, anew.database)


def test_of_customers_without_news_what_is_stored_stays(project, built_with_loads, tmp_path):
    """Also in the run after a file of the project changed that says nothing about rows."""
    folder, variables = built_with_loads
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    inputs = {
        name: mapping | {"file": str(tmp_path / "data" / f"{name}.csv")}
        for name, mapping in variables["inputs"].items()
    }
    with duckdb.connect(str(_database(tmp_path))) as connection:
        for table, column in (("order_days", "revenue"), ("category_months", "amount"), ("visits", "views")):
            connection.execute(f"update features.{table} set {column} = 4711")
    rows, changed = _shop(), project.root / "macros" / "staging" / "check_input.sql"
    for number in (1, 2):
        today = LAST + timedelta(days=number)
        _order(rows, CUSTOMERS[number], today, 11)
        _write_with_loads(rows, tmp_path / "data", today)
        daily = project.run(tmp_path, "--select", *BUILT, **variables | {"inputs": inputs})
        assert (CUSTOMERS[number],) in daily.rows("staging.customers_with_news")
        for table, column in (("order_days", "revenue"), ("category_months", "amount"), ("visits", "views")):
            kept_rows = f"select customer_id from features.{table} where {column} = 4711"
            assert len(daily.rows(kept_rows)) > 7, table
            assert (CUSTOMERS[number],) not in daily.rows(kept_rows)
        changed.write_text(changed.read_text() + "\n")


def test_a_shop_that_has_orders_alone_may_say_when_they_were_loaded(project, tmp_path):
    rows = _shop()
    for day in (LAST, LAST + timedelta(days=1)):
        inputs = {"orders": _write_with_loads(rows, tmp_path / "data", day)["orders"]}
        variables = {"inputs": inputs, "history_months": 3, "segmentations": ["rfm"]}
        daily = project.run(tmp_path, "--select", *BUILT, **variables)
        assert daily.rows("select count(*), sum(orders_placed) from features.order_days") == [
            (len({(row[1], row[2][:10]) for row in rows["orders"][:-1]}), len(rows["orders"]) - 1)
        ]
        rows["orders"].insert(0, [*rows["orders"][0]])
        rows["orders"][0][0] = "another"
    assert daily.rows("staging.customers_with_news") == [(CUSTOMERS[0],)]


def _database(folder: Path) -> Path:
    return next((folder / "build").glob("*.duckdb"))


def _mark_closed_dates(database: Path) -> None:
    """Write into a closed date what no computation would give."""
    with duckdb.connect(str(database)) as connection:
        for table, column in (
            ("features.features_rfm", "lifetime_orders"),
            ("segments.segment_assignments", "lifetime_orders"),
            ("segments.segment_history", "lifetime_revenue"),
        ):
            connection.execute(f"update {table} set {column} = 4711 where as_of_date = '2025-12-31'")


def _marked(outcome) -> list[str]:
    tables = ("features.features_rfm", "segments.segment_assignments", "segments.segment_history")
    columns = ("lifetime_orders", "lifetime_orders", "lifetime_revenue")
    return [
        table
        for table, column in zip(tables, columns, strict=True)
        if outcome.rows(f"select 1 from {table} where {column} = 4711 limit 1")
    ]


def test_closed_dates_stay_as_they_were_computed_and_published_ones_until_history_is_restated(project, shop):
    folder, variables, rows = shop
    _mark_closed_dates(_database(folder))
    _order(rows, CUSTOMERS[1], LAST + timedelta(days=4), 11)
    _write(rows, folder / "data")
    daily = project.run(folder, "--select", *BUILT, **variables)
    assert _marked(daily) == [
        "features.features_rfm",
        "segments.segment_assignments",
        "segments.segment_history",
    ]
    dates = daily.rows("select distinct as_of_date::text from features.features_rfm order by 1")
    assert [day for (day,) in dates] == ["2025-11-30", "2025-12-31", "2026-01-31", "2026-02-02"]

    anew = project.run(folder, "--select", *BUILT, "--full-refresh", **variables)
    assert _marked(anew) == ["segments.segment_history"]
    selection = ("run", "--select", *BUILT, "--full-refresh")
    restated = project.dbt(folder, *selection, parse=True, **variables, restate=True)
    assert _marked(restated) == []


def test_a_table_that_lacks_a_column_is_made_anew(project, shop):
    folder, variables, _ = shop
    database = _database(folder)
    _mark_closed_dates(database)
    with duckdb.connect(str(database)) as connection:
        connection.execute("alter table features.features_rfm drop column return_share")
    outcome = project.run(folder, "--select", *BUILT, **variables)
    assert _marked(outcome) == ["segments.segment_assignments", "segments.segment_history"]
    assert outcome.rows("select count(*) > 0, count(return_share) > 0 from features.features_rfm") == [
        (True, True)
    ]


def test_a_date_after_the_data_leaves_nothing_behind(project, shop):
    """A mistyped date moves the latest date; mended and restated, no fit and no feature speaks of then."""
    folder, variables, rows = shop
    fits = ("--select", *BUILT, "fit_order_ratios", "fit_lifetime")
    _order(rows, CUSTOMERS[1], date(2026, 3, 31), 11)
    _write(rows, folder / "data")
    project.run(folder, *fits, **variables)
    rows["orders"].pop()
    _write(rows, folder / "data")
    stopped = project.dbt(folder, "run", *fits, **variables)
    assert "later month ends are published: 2026-01-31, 2026-02-28, 2026-03-31" in stopped.message
    mended = project.dbt(folder, "run", *fits, "--full-refresh", parse=True, **variables, restate=True)
    assert mended.success, mended.message
    latest = [(LAST,)]
    assert mended.rows("select max(as_of_date) from features.features_rfm") == latest
    for record in ("segment_history", "publications"):
        assert mended.rows(f"select max(as_of_date) from segments.{record}") == latest, record
    for fit in ("fit_dates", "fit_order_ratios", "fit_lifetime", "fit_rfm_cutoffs"):
        assert mended.rows(f"select count(*) from fits.{fit} where fitted_on > '{LAST}'") == [(0,)], fit


RECORD = (
    "select 'history', * from segments.segment_history "
    "union all by name select 'publications', * from segments.publications"
)


def _dates_and_record(folder: Path) -> list[list[tuple]]:
    """Return the as-of dates and what is published."""
    stored = Outcome(True, "", [], None, _database(folder))
    return [sorted(stored.rows(query), key=repr) for query in (RECORD, "staging.as_of_dates")]


def test_a_delivery_that_is_not_whole_stops_before_a_published_month_is_forgotten(project, shop):
    folder, variables, rows = shop
    before = _dates_and_record(folder)
    orders = rows["orders"]
    rows["orders"] = [row for row in orders if row[2] < "2025-11-01"]
    rows["events"] = [row for row in rows["events"] if row[2] < "2025-11-01"]
    rows["customers"][0][1] = "2025-12-01"
    _write(rows, folder / "data")
    stopped = project.dbt(folder, "run", "--select", *BUILT, **variables)
    assert not stopped.success
    end = max(row[2][:10] for row in rows["orders"] + rows["events"])
    for said in (
        f"The data ends on {end}, and later month ends are published: 2025-10-31, 2025-11-30, 2025-12-31.",
        f"inputs.orders ({folder}/data/orders.csv) or inputs.events ({folder}/data/events.csv)",
        "Deliver it whole and build again.",
        "make restate",
    ):
        assert said in stopped.message
    assert _dates_and_record(folder) == before


@pytest.mark.parametrize("looked_at", ["2025-12-15", "2025-12-31"])
def test_an_as_of_date_up_to_a_closed_month_end_needs_a_database_of_its_own(project, shop, looked_at):
    folder, variables, _ = shop
    before = _dates_and_record(folder)
    stopped = project.dbt(folder, "run", "--select", *BUILT, **variables, as_of_date=looked_at)
    for said in (
        f"The variable as_of_date is {looked_at}, and month ends from that day on are published: 2025-12-31.",
        "another name after `database:`",
        "make restate",
    ):
        assert said in stopped.message
    assert _dates_and_record(folder) == before


def test_an_as_of_date_after_all_published_month_ends_takes_the_place_of_the_latest(project, shop):
    folder, variables, _ = shop
    run = project.run(folder, "--select", *BUILT, **variables, as_of_date="2026-01-10")
    for record in ("segment_history", "publications"):
        assert run.rows(f"select max(as_of_date)::text from segments.{record}") == [("2026-01-10",)], record


def test_a_latest_date_of_stragglers_is_told_until_somebody_sets_the_date(project, write_csv, tmp_path):
    days = [date(2025, 11, 1) + timedelta(days=number) for number in range(112)]
    usual = [f"{day}-{number},c{number},{day},10,completed" for day in days for number in range(3)]
    late = [f"late{number},c{number},2026-03-13,10,completed" for number in range(4)]
    cancelled = [f"off{number},c{number},2026-04-02,10,cancelled" for number in range(4)]
    orders = write_csv(["order_id,customer_id,ordered_at,amount,status", *usual, *late, *cancelled])
    variables = {"inputs": {"orders": {"file": orders}}, "segmentations": ["rfm"]}
    thin = project.run(tmp_path, "--select", "+recent_activity", **variables)
    assert thin.rows("select max(as_of_date)::text from staging.as_of_dates") == [("2026-03-13",)]
    assert [warning for warning in thin.warnings if "thins out" in warning] == [
        "inputs.orders thins out: the seven days up to 2026-03-13, the latest date, hold 4 that count, and "
        "usually 21. The last usual day is 2026-02-20. Deliver what is missing, or look no further than what "
        "is whole: set as_of_date: 2026-02-20 in the vars file."
    ]
    settled = project.run(tmp_path, "--select", "+recent_activity", **variables, as_of_date="2026-02-20")
    assert not [warning for warning in settled.warnings if "thins out" in warning]


def test_who_nothing_dates_is_acquired_on_no_latest_date(project, shop):
    """Not on the next one either: customers before, acquired and undated make up the customers now."""
    folder, variables, rows = shop
    rows["customers"] += [[f"undated{number}", "", "city 1"] for number in range(9)]
    for day, new in (("2026-01-31", "new1"), ("2026-02-02", "new2")):
        _order(rows, new, date.fromisoformat(day), 11)
        _write(rows, folder / "data")
        run = project.run(folder, "--select", "+segment_kpis", "+segment_migration", **variables)
        kpis = run.rows(
            "select customers - customers_before + departed, acquired, undated from marts.segment_kpis "
            f"where segmentation = '(all)' and as_of_date = '{day}'"
        )
        assert kpis == [(1 + 9, 1, 9)]
        assert run.rows(
            "select sum(customers) from marts.segment_migration "
            f"where segmentation = 'lifecycle' and direction = 'undated' and as_of_date = '{day}'"
        ) == [(9,)]
    closed = "where segmentation = '(all)' and as_of_date = '2026-01-31'"
    assert run.rows(f"select acquired, undated from marts.segment_kpis {closed}") == [(1, 0)]


def test_late_rows_are_counted_by_date_with_their_revenue(project, shop):
    folder, variables, rows = shop
    assert project.run(folder, "--select", *BUILT, **variables).rows("marts.restatement_due") == []
    late = date(2025, 12, 15)
    _order(rows, CUSTOMERS[0], late, 40)
    _event(rows, CUSTOMERS[2], late, "view")
    _write(rows, folder / "data")
    due = project.run(folder, "--select", *BUILT, **variables)
    shown = due.rows(
        "select as_of_date::text, customers, (revenue_now - revenue_published)::int, redefined_segmentations "
        "from marts.restatement_due order by 1"
    )
    assert shown == [("2025-12-31", 2, 40, None)]
