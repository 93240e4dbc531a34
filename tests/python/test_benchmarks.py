"""The benchmark, run small: its references make the tables that the project makes, and its check can fail."""

import json
import os
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
import yaml

PROJECT = Path(__file__).parents[2]
CUSTOMERS = 400
MONTHS = 4  # of history: two fit dates
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


@pytest.fixture(scope="module")
def built(shop: Shop, project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The databases of the project and of (a), and the folder of (b)."""
    folder = tmp_path_factory.mktemp("built")
    places = {"a": folder / "a.duckdb", "b": folder / "b"}
    by_hand = subprocess.Popen(  # it forks, which a process with threads had better not
        [
            sys.executable,
            PROJECT / "benchmarks" / "reference_duckdb.py",
            shop.folder,
            places["a"],
            str(MONTHS),
        ],
        env=os.environ | {"PYTHONPATH": str(PROJECT / "src")},
        stdout=subprocess.DEVNULL,
    )
    inputs = yaml.safe_load((shop.folder / "inputs.yml").read_text(encoding="utf-8"))
    del inputs["database"]
    selected = [f"+{name}" for name in CORE]
    outcome = project.run(folder, "--select", *selected, **inputs, history_months=MONTHS)
    numbers = outcome.rows("select fitted_on, k from fits.fit_clusters where metric = 'verdict'")
    clusters = {str(day): number for day, number in numbers}
    reference_pandas.run(shop.folder, places["b"], clusters, MONTHS)
    assert by_hand.wait() == 0
    return {"project": outcome.database, **places}


def compared(built: dict[str, Path]) -> list[check.Comparison]:
    return check.compare(built["project"], {name: built[name] for name in ("a", "b")})


@pytest.mark.long
def test_the_core_tables_of_the_project_and_both_references_are_equal(built: dict[str, Path]):
    comparisons = compared(built)
    assert len(comparisons) == 2 * len(check.TABLES)
    assert [str(comparison) for comparison in comparisons if not comparison.is_equal] == []


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


def test_a_day_later_some_orders_are_new_late_corrected_or_gone_and_all_others_as_they_were(shop: Shop):
    with duckdb.connect() as connection:
        for name, folder in (("before", shop.folder), ("after", shop.later)):
            connection.execute(f"create view {name} as from '{folder / 'orders.parquet'}'")
        new, late, gone, corrected, of_old_date = connection.execute(
            """
            select
                count(*) filter (where before.order_id is null and after.ordered_at >= '2026-03-25'),
                count(*) filter (where before.order_id is null and after.ordered_at < '2026-03-25'),
                count(*) filter (where after.order_id is null),
                count(*) filter (where before.order_id = after.order_id and before <> after),
                count(*) filter (
                    where before.order_id = after.order_id
                        and before <> after
                        and after.updated_at < '2026-03-25'
                ),
            from before full join after on before.order_id = after.order_id
            """
        ).fetchone()
    assert (new, late, gone) == (14, 2, 1)
    assert corrected >= 3  # and pending orders that were paid
    assert of_old_date == 0


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
