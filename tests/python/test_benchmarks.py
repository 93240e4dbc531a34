"""The benchmark, run small: its references make the tables that the project makes, and its check can fail."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import check
import duckdb
import generate
import measure
import pytest
import reference_pandas
import results
import run
import yaml
from checks import Checks

PROJECT = Path(__file__).parents[2]
CUSTOMERS = 400
MONTHS = 4  # of history: two fit dates
DAY_TWO = "2026-03-26 02:00:00"  # when the rows of a day later are loaded
CORE = ["segment_migration", "segment_profiles", "score_lifetime", "score_cluster"]


@dataclass(frozen=True)
class Shop:
    """A generated shop, and the same a day later."""

    folder: Path
    later: Path


def generated(folder: Path) -> Shop:
    shop = Shop(folder, folder.with_name(f"{folder.name}_day2"))
    generate.generate(shop.folder, CUSTOMERS)
    generate.day_later(shop.folder, shop.later)
    return shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return generated(tmp_path_factory.mktemp("bench") / "tiny")


def inputs_of(folder: Path) -> dict:
    """The variables of a shop for a first build, which reads all rows whenever they were loaded."""
    variables = yaml.safe_load((folder / "inputs.yml").read_text(encoding="utf-8"))
    del variables["database"]
    for mapping in variables["inputs"].values():
        assert mapping.pop("loaded_at") == "loaded_at"
    return variables


@pytest.fixture(scope="module")
def built(shop: Shop, project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The databases of the project and of (a), and the folder of (b)."""
    folder = tmp_path_factory.mktemp("built")
    places = {"a": folder / "a.duckdb", "checked": folder / "checked.duckdb", "b": folder / "b"}
    script = PROJECT / "benchmarks" / "reference_duckdb.py"
    by_hand = [  # it forks, which a process with threads had better not
        subprocess.Popen(
            [sys.executable, script, shop.folder, places[name], "--months", str(MONTHS), *flags],
            env=os.environ | {"PYTHONPATH": str(PROJECT / "src")},
            stdout=subprocess.DEVNULL,
        )
        for name, flags in (("a", []), ("checked", ["--checked"]))
    ]
    inputs = inputs_of(shop.folder)
    selected = [f"+{name}" for name in CORE]
    outcome = project.run(folder, "--select", *selected, **inputs, history_months=MONTHS)
    numbers = outcome.rows("select fitted_on, k from fits.fit_clusters where metric = 'verdict'")
    clusters = {str(day): number for day, number in numbers}
    reference_pandas.run(shop.folder, places["b"], clusters, MONTHS)
    assert [process.wait() for process in by_hand] == [0, 0]
    return {"project": outcome.database, **places}


def compared(built: dict[str, Path]) -> list[check.Comparison]:
    return check.compare(built["project"], {name: built[name] for name in ("a", "b")})


@pytest.mark.long
def test_the_core_tables_of_the_project_and_both_references_are_equal(built: dict[str, Path]):
    comparisons = compared(built)
    assert len(comparisons) == 2 * len(check.TABLES)
    assert [str(comparison) for comparison in comparisons if not comparison.is_equal] == []


@pytest.mark.long
def test_reference_a_makes_the_same_of_rows_that_it_has_checked(built: dict[str, Path]):
    with duckdb.connect() as connection:
        for name in ("a", "checked"):
            connection.execute(f"attach '{built[name]}' as {name} (read_only)")
        assert connection.execute("select count(*) from checked.rejected").fetchone() == (0,)
        for table in check.TABLES:
            plain, checked = (f"from {name}.{table.name}" for name in ("a", "checked"))
            different = f"({plain} except all {checked}) union all ({checked} except all {plain})"
            assert connection.execute(f"{plain} limit 1").fetchall(), table.name
            assert connection.execute(different).fetchall() == [], table.name


@pytest.fixture(scope="module")
def damaged(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop with a row for each of many things that can be wrong."""
    folder = tmp_path_factory.mktemp("damaged")
    shutil.copy(shop.folder / "inputs.yml", folder)
    for table in generate.TABLES:
        changes = DAMAGES.get(table, {})
        file = f"read_parquet('{shop.folder / table}.parquet', file_row_number = true)"
        with duckdb.connect() as connection:
            columns = [name for name, *_ in connection.execute(f"select * from {file} limit 0").description]
            values = [
                f"case {' '.join(f'when file_row_number = {row} then {value}' for row, value in rows)}"
                f" else {column} end as {column}"
                if (rows := [(row, value) for (row, name), value in changes.items() if name == column])
                else column
                for column in columns[:-1]
            ]
            connection.execute(
                f"copy (select {', '.join(values)} from {file}) to '{folder / table}.parquet'"
                " (format parquet)"
            )
    inputs = (folder / "inputs.yml").read_text(encoding="utf-8")
    (folder / "inputs.yml").write_text(inputs.replace(str(shop.folder), str(folder)), encoding="utf-8")
    return folder


# {input: {(row, column): what stands there}}
DAMAGES = {
    "orders": {
        (0, "amount"): "-1",
        (1, "amount"): "5e6",
        (2, "customer_id"): "null",
        (3, "ordered_at"): "timestamp '1900-01-01'",
        (4, "ordered_at"): "timestamp '2199-01-01'",
        (5, "status"): "'lost'",
        (6, "status"): "' Completed '",
        (7, "channel"): "'café'",
        (8, "channel"): "'cafÃ©'",
        (9, "order_id"): "'o000000011'",
        (11, "discount_amount"): "-1",
        (11, "status"): "'?'",
        (12, "customer_id"): "' - '",
        (13, "order_id"): "'1.2E+11'",
    },
    "products": {(0, "product_id"): "null", (1, "product_name"): "repeat('x', 1001)"},
    "order_items": {(50, "order_id"): "'o999999999'", (51, "product_id"): "'p99999'"},
    "events": {
        (0, "event_type"): "'peek'",
        (1, "event_type"): "'VISIT'",
        (2, "product_id"): "'p99999'",
        (3, "occurred_at"): "null",
    },
}


def rejected_by_reference(folder: Path) -> list[tuple]:
    with duckdb.connect() as connection:
        Checks(connection, folder)
        return sorted(connection.execute("select input, row_key, reasons from rejected").fetchall())


def test_the_checked_reference_rejects_rows_with_what_is_wrong_with_them(shop: Shop, damaged: Path):
    assert rejected_by_reference(shop.folder) == []
    rejected = rejected_by_reference(damaged)
    reasons = sorted(reasons for name, _, reasons in rejected if name == "orders")
    assert reasons == sorted(
        [
            "negative:amount",
            "absurd:amount",
            "too_early:ordered_at",
            "after_as_of_date:ordered_at",
            "unknown_value:status",
            "broken_text:channel",
            "duplicate:order_id",
            "negative:discount_amount, unknown_value:status",
            "broken_id:order_id",
        ]
    )
    others = {reason for name, _, reasons in rejected if name != "orders" for reason in reasons.split(", ")}
    assert others == {
        "missing:product_id",
        "absurd:product_name",
        "unknown_reference:order_id",
        "unknown_reference:product_id",
        "unknown_value:event_type",
        "missing:occurred_at",
    }


@pytest.mark.long
def test_the_checked_reference_rejects_the_rows_that_the_project_rejects(
    damaged: Path, project, tmp_path: Path
):
    outcome = project.run(tmp_path, "--select", "+rejected_rows", **inputs_of(damaged))
    rejected = outcome.rows("select input, row_key, reasons from marts.rejected_rows")
    assert sorted(rejected) == rejected_by_reference(damaged)


@pytest.mark.long
@pytest.mark.parametrize(
    ("damage", "table", "message"),
    [
        (
            "update migration set customers = customers + 1 where rowid = 0",
            "migration",
            "1 rows: customers differs",
        ),
        (
            "update customers_by_date set expected_orders_90d = expected_orders_90d * 1.01",
            "expectations",
            "difference 9.9e-03",
        ),
        (
            "update customers_by_date set expected_orders_90d = 'nan' where rowid = 0",
            "expectations",
            "difference nan",
        ),
        ("delete from rfm_cutoffs where rowid = 0", "rfm_cutoffs", "rows of the project with"),
        ("delete from rfm_cutoffs", "rfm_cutoffs", " 0 rows "),
    ],
)
def test_the_check_finds_what_differs(
    built: dict[str, Path], tmp_path: Path, damage: str, table: str, message: str
):
    damaged = tmp_path / "a.duckdb"
    damaged.write_bytes(built["a"].read_bytes())
    with duckdb.connect(str(damaged)) as connection:
        connection.execute(damage)
    (found,) = (comparison for comparison in compared(built | {"a": damaged}) if not comparison.is_equal)
    assert (found.table, found.reference) == (table, "(a)")
    assert message in str(found)


def test_the_generator_makes_the_same_shop_again(shop: Shop, tmp_path: Path):
    again = generated(tmp_path / "again")
    for first, second in ((shop.folder, again.folder), (shop.later, again.later)):
        for table in generate.TABLES:
            rows, same_rows = (duckdb.read_parquet(str(of / f"{table}.parquet")) for of in (first, second))
            assert rows.fetchall() == same_rows.fetchall(), table


def test_a_day_later_some_orders_are_new_late_corrected_or_cancelled_and_all_others_as_they_were(shop: Shop):
    with duckdb.connect() as connection:
        for name, folder in (("before", shop.folder), ("after", shop.later)):
            connection.execute(f"create view {name} as from '{folder / 'orders.parquet'}'")
        new, late, gone, corrected, cancelled, of_old_date = connection.execute(
            """
            select
                count(*) filter (where before.order_id is null and after.ordered_at >= '2026-03-25'),
                count(*) filter (where before.order_id is null and after.ordered_at < '2026-03-25'),
                count(*) filter (where after.order_id is null),
                count(*) filter (where before.order_id = after.order_id and before <> after),
                count(*) filter (where before.status <> 'cancelled' and after.status = 'cancelled'),
                count(*) filter (
                    where before.order_id = after.order_id
                        and before <> after
                        and after.updated_at < '2026-03-25'
                ),
            from before full join after on before.order_id = after.order_id
            """
        ).fetchone()
    assert (new, late, gone) == (14, 2, 0)
    assert corrected >= 4  # and pending orders that were paid
    assert cancelled >= 1
    assert of_old_date == 0


def test_rows_say_in_which_night_they_were_loaded(shop: Shop):
    with duckdb.connect() as connection:
        for table, day in {
            "orders": "updated_at",
            "order_items": None,
            "products": "updated_at",
            "events": "occurred_at",
        }.items():
            before, after = (f"'{folder / table}.parquet'" for folder in (shop.folder, shop.later))
            (latest,) = connection.execute(f"select max(loaded_at) from {before}").fetchone()
            assert latest < datetime(2026, 3, 26), table
            if day:
                wrong = f"from {before} where loaded_at <> {day}::date + interval 26 hour"
                assert connection.execute(wrong).fetchall() == [], table
            # what was not there a day before, and that alone, is of the day's load
            new = f"(from {after} except all from {before})"
            loaded = f"(from {after} where loaded_at = '{DAY_TWO}')"
            for first, second in ((new, loaded), (loaded, new)):
                assert connection.execute(f"{first} except all {second}").fetchall() == [], table


@pytest.mark.parametrize("said", [True, False])
def test_the_inputs_of_a_day_later_are_those_of_the_day_before(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bool
):
    monkeypatch.setattr(run, "WORK", tmp_path)
    contents = []
    for folder in (shop.folder, shop.later):
        path = run._inputs("bench_tiny", folder, said=said)
        contents.append(path.read_text(encoding="utf-8"))
        mapping = yaml.safe_load(contents[-1])["inputs"]["orders"]
        assert Path(mapping["file"]).samefile(folder / "orders.parquet")
        assert ("loaded_at" in mapping) == said
    assert contents[0] == contents[1]


def test_nodes_that_run_at_once_share_the_time_that_passes(tmp_path: Path):
    begin = datetime(2026, 1, 1)
    results = [
        {
            "unique_id": f"model.shop.{name}",
            "timing": [
                {
                    "started_at": f"{(begin + timedelta(seconds=first)).isoformat()}Z",
                    "completed_at": f"{(begin + timedelta(seconds=last)).isoformat()}Z",
                }
            ],
        }
        for name, first, last in (("long", 0, 10), ("short", 4, 6), ("later", 12, 15))
    ]
    (tmp_path / "run_results.json").write_text(json.dumps({"results": results}), encoding="utf-8")
    shares = {node.name: (node.seconds, node.share) for node in measure.nodes(tmp_path)}
    assert shares == {"long": (10, 9), "short": (2, 1), "later": (3, 3)}


def of_run(wall: float, **others: object) -> dict:
    return {"wall": wall, "cpu": 2 * wall, "peak_memory": 2**30, "spilled": 0, "load": 0.1, **others}


def of_build(wall: float) -> dict:
    nodes = {name: {"kind": "model", "seconds": 2.0, "share": 1.0} for name in ("orders", "fit_clusters")}
    split = {"core": wall / 2, "needed": wall / 2, "models": wall * 0.7, "tests": 1.0}
    return of_run(wall, database_size=2**31, nodes=nodes, core_nodes=["checked_orders"], **split)


@pytest.fixture
def found() -> dict:
    """Results as they might be."""
    compared = {"reference": "(a)", "rows": 3, "largest_difference": 0.0, "tolerance": 1e-12}
    same = {"rows": 3, "columns": 2, "different": 0, "is_equal": True}
    of_shop = {
        "orders": 1_000,
        "build": of_build(100.0),
        "a": of_run(10.0, steps={"cluster fits, beyond the rest": 5.0}),
        # no core model checks order items
        "a_checked": of_run(23.0, steps={"check order_items": 3.0, "check orders": 5.0}),
        "daily": of_run(50.0),
        "unsaid": of_run(90.0),
        "same_daily": same,
        "check": {"comparisons": [compared | {"table": "profiles", "problems": [], "is_equal": True}]},
    }
    machine = {
        "cores": 2,
        "processor": "any",
        "memory": 2**34,
        "system": "any",
        "python": "3",
        "packages": {},
    }
    return {
        "on": "2026-03-24",
        "commit": "abc",
        "machine": machine,
        "sizes": {
            "demo": {"customers": 2, "orders": 20, "build": of_build(41.0), "again": of_run(11.0)},
            "100k": of_shop | {"customers": 100},
            "1m": of_shop | {"customers": 1_000, "orders": 10_000},
        },
    }


def test_the_targets_say_what_was_measured_and_whether_they_are_met(found: dict):
    rows = {target.what: target for target in results.targets(found)}
    said = {what: target.cells()[1:] for what, target in rows.items()}
    assert said["Demo, first build"] == ["40 s", "41 s", "82", "**not met**"]
    assert said["Demo, next run with nothing new"] == ["12 s", "11 s", "22", "met"]
    assert said["1 million customers, next day"] == ["45 s", "50 s", "100", "**not met**"]
    assert said["1 million customers, database"] == ["2.5 GB", "2 GB", "", "met"]
    assert said["1 million customers, core models, in times of (a)"] == ["2.5", "5", "", "**not met**"]
    checked = said["1 million customers, core models, in times of (a) with every row checked"]
    assert checked == ["", "2.5", "", ""]


def test_what_was_not_measured_or_failed_is_said(found: dict):
    del found["sizes"]["demo"], found["sizes"]["100k"]
    found["sizes"]["1m"] = {"customers": 1, "orders": 2, "build": {"problem": "exit 1"}}
    page = "\n".join(results.page(found))
    assert "| 1 | 2 | first build, tests included | failed |" in page
    assert "| 10 million customers, built once | 24 GB of memory | not measured |  |  |" in page
    assert all(target.is_met is None for target in results.targets(found))


def test_the_results_of_a_size_that_was_built_alone_stay_when_others_are_run(
    found: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(run, "HERE", tmp_path)
    monkeypatch.setattr(run, "PROJECT", tmp_path)
    alone = {name: found[name] for name in ("on", "commit", "machine")} | {
        "customers": 10_000_000,
        "orders": 100_000_000,
        "memory_limit": run.MEMORY_ALONE,
        "build": of_build(3_000.0),
    }
    results.write(found | {"alone": {"10m": alone}}, tmp_path)
    run._write(found, tmp_path)
    assert results.read(tmp_path)["alone"]["10m"]["build"]["wall"] == 3_000
    page = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert "## 10,000,000 customers and 100,000,000 orders, built once" in page
    told = "| 24 GB of memory | 3000 s, 1.0 GB of memory, 0.0 GB spilled | 6000 | met |"
    assert f"| 10 million customers, built once at commit `abc` {told}" in page
