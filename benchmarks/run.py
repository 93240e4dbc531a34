"""Measures the project at several sizes, beside two references, and writes RESULTS.md and results.json.

`make bench`, or `make bench SIZES=10k`. For each size, each in a process of its own: the shop is generated;
built from nothing; the references are run, and their tables compared with the project's; then a day passes,
and the daily run is compared with one that computes all dates anew with the same fits. The largest
size is built once more with 2 GB of memory for DuckDB.

With all sizes the results go to benchmarks/, otherwise to build/bench/.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

import duckdb
import generate
import measure
import results
from check import compare
from measure import PROJECT, RunFailedError

from customer_segmentation.inputs import resolve

SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000}
ALL_SIZES = ["10k", "100k", "1m"]
HERE = Path(__file__).parent
WORK = PROJECT / "build" / "bench"
LITTLE_MEMORY, MEMORY_LIMIT = "2GB", "SEGMENTATION_MEMORY_LIMIT"
# what a day later is applied as it is stored
FITS = (
    *("fit_dates", "fits_due", "fit_clusters", "fit_lifetime", "fit_next_order", "fit_order_ratios"),
    *("fit_outcome_rates", "fit_evaluation", "evaluation_holdout"),
)
SEGMENTATION = ["-c", "from customer_segmentation.cli import main; main()"]
PACKAGES = ("dbt-core", "dbt-duckdb", "duckdb", "lifetimes", "numpy", "pandas", "scikit-learn", "scipy")


def main() -> None:
    """Measure the sizes that the arguments name."""
    parser = argparse.ArgumentParser(description="Measures the project beside two references.")
    parser.add_argument(
        "sizes", nargs="*", default=ALL_SIZES, metavar="SIZE", help=f"any of {', '.join(SIZES)}"
    )
    parser.add_argument(
        "--data", type=Path, default=WORK, help="Where the generated shops are, or are to be."
    )
    parser.add_argument("--without", nargs="*", default=[], choices=["b", "refresh", "memory"])
    arguments = parser.parse_args()
    unknown = [size for size in arguments.sizes if size not in SIZES]
    if unknown:
        parser.error(f"{', '.join(unknown)}: sizes are {', '.join(SIZES)}")
    WORK.mkdir(parents=True, exist_ok=True)
    sizes = sorted(arguments.sizes, key=list(SIZES).index)
    found = {"on": date.today().isoformat(), "commit": _commit(), "machine": _machine(), "sizes": {}}
    for size in sizes:
        largest = size == sizes[-1] and SIZES[size] >= SIZES["100k"] and _can_limit_memory()
        found["sizes"][size] = {"customers": SIZES[size]}
        _measure(size, arguments.data, set(arguments.without) | (set() if largest else {"memory"}), found)
    folder = HERE if sizes == ALL_SIZES and not arguments.without else WORK
    results.write(found, folder)
    print(f"Wrote {(folder / 'RESULTS.md').relative_to(PROJECT)}.")
    if not all(comparison["is_equal"] for comparison in results.comparisons(found)):
        sys.exit("Some tables are not equal: see there.")


def _measure(size: str, data: Path, without: set[str], found: dict) -> None:
    """Measure one size; what is found is kept even if a later step fails."""
    of_size = found["sizes"][size]
    folder, later = data / size, data / f"{size}_day2"

    def step(name: str, what: str, measured: Callable[[], dict]) -> dict | None:
        print(f"{size:>5}  {what} ...", end="", flush=True)
        try:
            outcome = measured()
        except RunFailedError as problem:
            print(" failed")
            of_size[name] = {"problem": str(problem)}
            print(problem)
            return None
        of_size[name] = outcome
        (WORK / "results.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
        print(
            f" {outcome['wall']:.0f} s"
            if "wall" in outcome
            else " equal"
            if outcome["is_equal"]
            else " NOT EQUAL"
        )
        return outcome

    if not (later / "events.parquet").is_file():
        step(
            "generate", "generating", lambda: _run([str(HERE / "generate.py"), str(folder), str(SIZES[size])])
        )
    _count_rows(folder, of_size)
    name = f"bench_{size}"
    _forget(name)
    built = step("build", "building from nothing", lambda: _build(name, folder))
    fitted = _clusters(name) if built else {}
    a, b = WORK / f"{size}_a.duckdb", WORK / f"{size}_b"
    step(
        "a",
        "reference (a)",
        lambda: _run([str(HERE / "reference_duckdb.py"), str(folder), str(a)], steps=True),
    )
    places = {"a": a}
    if "b" not in without and fitted:
        script = [str(HERE / "reference_pandas.py"), str(folder), str(b), json.dumps(fitted)]
        step("b", "reference (b)", lambda: _run(script, steps=True))
        places["b"] = b
    places = {reference: place for reference, place in places.items() if "wall" in of_size[reference]}
    if built and places:
        step("check", "comparing the core tables", lambda: _check(name, places))
    if built and "refresh" not in without:
        as_built, compared = WORK / f"{size}_as_built.duckdb", WORK / f"open_date_{size}.duckdb"
        compared.unlink(missing_ok=True)
        shutil.copy(_database(name), as_built)
        refreshed = step("refresh", "a day later: the daily run", lambda: _build(name, later))
        if refreshed:
            _keep_open_date(name, compared, "daily")
            as_built.replace(_database(name))
            again = step("apply", "a day later: everything, with the same fits", lambda: _apply(name, later))
            if again:
                _keep_open_date(name, compared, "applied")
                step("same", "comparing the two", lambda: _same(compared))
        as_built.unlink(missing_ok=True)
    if built and "memory" not in without:
        _forget(name)
        step(
            "little_memory",
            f"building from nothing with {LITTLE_MEMORY} for DuckDB",
            lambda: _build(name, folder, **{MEMORY_LIMIT: LITTLE_MEMORY}),
        )


def _run(arguments: list[str], *, steps: bool = False) -> dict:
    run = measure.measure(arguments)
    return run.as_data() | ({"steps": json.loads(run.output)} if steps else {})


def _build(name: str, folder: Path, command: str = "build", **environment: str) -> dict:
    """Build an input into the database of a name; return what it took, also by node."""
    arguments = [*SEGMENTATION, command, "--input", str(_inputs(name, folder))]
    run = measure.measure(arguments, PROJECT / "build", **environment)
    outcome = run.as_data() | {"command": command, "database_size": _database(name).stat().st_size}
    return outcome | _nodes(PROJECT / "target" / name)


def _apply(name: str, folder: Path) -> dict:
    """Compute all dates anew with the stored fits: by plain dbt, without tests."""
    variables = json.dumps(resolve(str(_inputs(name, folder))).vars, default=str)
    places = ["--target-path", str(PROJECT / "target" / name), "--profiles-dir", str(PROJECT)]
    arguments = ["-m", "dbt.cli.main", "run", "--quiet", "--full-refresh", "--exclude", *FITS]
    arguments += ["--vars", variables, *places]
    return measure.measure(arguments, PROJECT / "build", DBT_PROFILES_DIR=str(PROJECT)).as_data()


def _inputs(name: str, folder: Path) -> Path:
    """Write and return the vars file of a folder, for the database of a name."""
    path = WORK / f"{name}.yml"
    written = (folder / "inputs.yml").read_text(encoding="utf-8")
    path.write_text(
        re.sub("^database: .*", f"database: {name}", written, flags=re.MULTILINE), encoding="utf-8"
    )
    return path


def _nodes(target: Path) -> dict:
    """Return what the nodes of a build took, and the core models of them."""
    core, needed = measure.core_nodes(target)
    nodes = measure.nodes(target)
    models = [node for node in nodes if node.kind == "model"]
    return {
        "core_nodes": sorted(core),
        "core": sum(node.share for node in models if node.name in core),
        "needed": sum(node.share for node in models if node.name in needed),
        "models": sum(node.share for node in models),
        "tests": sum(node.share for node in nodes if node.kind in ("test", "unit_test")),
        "nodes": {
            node.name: {"kind": node.kind, "seconds": round(node.seconds, 3), "share": round(node.share, 3)}
            for node in sorted(nodes, key=lambda node: -node.share)
        },
    }


def _can_limit_memory() -> bool:
    """Return whether the project heeds the limit: without that, the measurement would say nothing."""
    return MEMORY_LIMIT in (PROJECT / "profiles.yml").read_text(encoding="utf-8")


def _database(name: str) -> Path:
    return PROJECT / "build" / f"{name}.duckdb"


def _forget(name: str) -> None:
    """Remove a database and what dbt remembers of it."""
    for path in (PROJECT / "build").glob(f"{name}.duckdb*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.rmtree(PROJECT / "target" / name, ignore_errors=True)


def _clusters(name: str) -> dict[str, int]:
    """Return how many clusters the project found at each fit date, for reference (b)."""
    with duckdb.connect(str(_database(name)), read_only=True) as connection:
        rows = connection.execute(
            "select fitted_on, k from fits.fit_clusters where metric = 'verdict'"
        ).fetchall()
    return {str(day): number for day, number in rows}


def _count_rows(folder: Path, of_size: dict) -> None:
    for table in generate.TABLES:
        of_size[table] = duckdb.execute(f"select count(*) from '{folder / table}.parquet'").fetchone()[0]


def _check(name: str, places: dict[str, Path]) -> dict:
    found = [
        {
            "table": comparison.table,
            "reference": comparison.reference,
            "rows": comparison.rows,
            "columns": comparison.columns,
            "largest_difference": comparison.largest_difference,
            "tolerance": comparison.tolerance,
            "problems": list(comparison.problems),
            "is_equal": comparison.is_equal,
        }
        for comparison in compare(_database(name), places)
    ]
    return {"comparisons": found, "is_equal": all(comparison["is_equal"] for comparison in found)}


def _keep_open_date(name: str, target: Path, table: str) -> None:
    """Keep all features of the latest date as a table of another database."""
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"attach '{_database(name)}' as built (read_only)")
        connection.execute(f"create table {table} as from built.segments.latest_features")


def _same(database: Path) -> dict:
    """Compare the features of the latest date after a daily run and after a full one, with every column."""
    with duckdb.connect(str(database), read_only=True) as connection:
        rows, columns, different = connection.execute(
            """
            select
                (select count(*) from applied),
                (select count(*) from (describe applied)),
                (select count(*) from (from daily except all from applied))
                + (select count(*) from (from applied except all from daily))
            """
        ).fetchone()
    return {"rows": rows, "columns": columns, "different": different, "is_equal": rows > 0 and different == 0}


def _commit() -> str:
    outcome = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=PROJECT
    )
    return outcome.stdout.strip()


def _machine() -> dict:
    described = Path("/proc/cpuinfo")
    model = (
        re.search(r"model name\s*: (.*)", described.read_text(encoding="utf-8"))
        if described.is_file()
        else None
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": model.group(1) if model else platform.processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory": memory,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {package: version(package) for package in PACKAGES},
    }


if __name__ == "__main__":
    main()
