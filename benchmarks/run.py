"""Measures the project at several sizes, beside two references, and writes RESULTS.md and results.json.

`make bench`, or `make bench SIZES=10k`. For each size, each in a process of its own: the shop is generated;
built from nothing; the references are run, and their tables compared with the project's; then a day passes,
and the daily run is compared with one that computes all dates anew with the same fits. The same once more
with inputs that don't say what is new. The largest size is built once more with 2 GB of memory for DuckDB.
The demo is built, and built again with nothing new.

With all sizes the results go to benchmarks/, otherwise to build/bench/. `make bench SIZES=10m` is another
matter: one build, and what was measured stays in benchmarks/ when the other sizes are run again.
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
import yaml
from check import compare
from measure import PROJECT, RunFailedError

from customer_segmentation.inputs import project_vars, resolve

DEMO = "demo"
CUSTOMERS = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000}
SIZES = [DEMO, *CUSTOMERS]
ALL_SIZES = [DEMO, "10k", "100k", "1m"]
# built once, when asked for by name, with as much memory for DuckDB as leaves the rest of 24 GB to Python
ALONE, MEMORY_ALONE = {"10m": 10_000_000}, "14GB"
HERE = Path(__file__).parent
WORK = PROJECT / "build" / "bench"
LITTLE_MEMORY, MEMORY_LIMIT = "2GB", "SEGMENTATION_MEMORY_LIMIT"
# what a day later is applied as it is stored
FITS = (
    *("fit_dates", "fits_due", "fit_clusters", "fit_lifetime", "fit_next_order", "fit_order_ratios"),
    *("fit_outcome_rates", "fit_evaluation", "evaluation_holdout"),
)
SEGMENTATION = ["-c", "from customer_segmentation.cli import main; main()"]
WITHOUT = ("b", "checked", "daily", "unsaid", "memory", "loaded_at")
UNSAID = ", inputs don't say what is new"
PACKAGES = ("dbt-core", "dbt-duckdb", "duckdb", "lifetimes", "numpy", "pandas", "scikit-learn", "scipy")


def main() -> None:
    """Measure the sizes that the arguments name."""
    parser = argparse.ArgumentParser(description="Measures the project beside two references.")
    parser.add_argument(
        "sizes", nargs="*", default=ALL_SIZES, metavar="SIZE", help=f"any of {', '.join([*SIZES, *ALONE])}"
    )
    parser.add_argument(
        "--data", type=Path, default=WORK, help="Where the generated shops are, or are to be."
    )
    parser.add_argument(
        "--without",
        nargs="*",
        default=[],
        choices=WITHOUT,
        help="What to leave out; loaded_at: the inputs don't say what is new.",
    )
    arguments = parser.parse_args()
    unknown = [size for size in arguments.sizes if size not in (*SIZES, *ALONE)]
    if unknown:
        parser.error(f"{', '.join(unknown)}: sizes are {', '.join([*SIZES, *ALONE])}")
    WORK.mkdir(parents=True, exist_ok=True)
    sizes = [size for size in SIZES if size in arguments.sizes]
    found = _about() | {"sizes": {}}
    for size in sizes:
        if size == DEMO:
            _measure_demo(found)
            continue
        largest = size == sizes[-1] and CUSTOMERS[size] >= CUSTOMERS["100k"] and _can_limit_memory()
        without = set(arguments.without) | (set() if largest else {"memory"})
        _measure(size, arguments.data, without, found)
    if sizes:
        _write(found, HERE if sizes == ALL_SIZES and not arguments.without else WORK)
    alone = {size: _measure_alone(size, arguments.data) for size in ALONE if size in arguments.sizes}
    if alone:
        before = results.read(HERE)
        _write(before | {"alone": before.get("alone", {}) | alone}, HERE)
    if not all(comparison["is_equal"] for comparison in results.comparisons(found)):
        sys.exit("Some tables are not equal: see there.")


def _write(found: dict, folder: Path) -> None:
    """Write the results into a folder, beside those of what was run alone."""
    alone = results.read(HERE).get("alone", {}) if folder == HERE else {}
    results.write({"alone": alone} | found, folder)
    print(f"Wrote {(folder / 'RESULTS.md').relative_to(PROJECT)}.")


class _Steps:
    """Measures the steps of a size, and says so; what is found is kept even if a later step fails."""

    def __init__(self, size: str, of_size: dict, found: dict):
        self.size, self.of_size, self.found = size, of_size, found

    def __call__(self, name: str, what: str, measured: Callable[[], dict]) -> dict | None:
        print(f"{self.size:>5}  {what} ...", end="", flush=True)
        try:
            outcome = measured()
        except RunFailedError as problem:
            print(" failed")
            self.of_size[name] = {"problem": str(problem)}
            print(problem)
            return None
        self.of_size[name] = outcome
        (WORK / "results.json").write_text(json.dumps(self.found, indent=1), encoding="utf-8")
        if "wall" in outcome:
            print(f" {outcome['wall']:.0f} s, CPU {outcome['cpu']:.0f} s")
        else:
            print(" equal" if outcome["is_equal"] else " NOT EQUAL")
        return outcome


def _measure_demo(found: dict) -> None:
    """Measure the demo, with its own inputs, in a database of another name."""
    of_size = found["sizes"][DEMO] = {}
    step, name, inputs = _Steps(DEMO, of_size, found), "bench_demo", project_vars()["inputs"]
    for table in ("customers", "orders"):
        file = PROJECT / inputs[table]["file"]
        of_size[table] = duckdb.execute(f"select count(*) from read_csv('{file}')").fetchone()[0]
    variables = _write_vars(name, {"database": name, "inputs": inputs})
    _forget(name)
    _run(["-c", "import customer_segmentation.cli"])  # what is imported is compiled and in the cache
    if step("build", "building from nothing", lambda: _build(name, variables)):
        step("again", "once more, with nothing new", lambda: _build(name, variables))


def _measure_alone(size: str, data: Path) -> dict:
    """Measure one build of a size that is too large for all else; return what was found."""
    found = _about() | {"customers": ALONE[size], "memory_limit": MEMORY_ALONE}
    step, name, folder = _Steps(size, found, {"alone": {size: found}}), f"bench_{size}", data / size
    if not _is_generated(folder):
        script = [str(HERE / "generate.py"), str(folder), str(ALONE[size]), "first"]
        step("generate", "generating", lambda: _run(script, spill=folder))
    if "problem" in found.get("generate", {}):
        return found
    _count_rows(folder, found)
    found["files"] = sum((folder / f"{table}.parquet").stat().st_size for table in generate.TABLES)
    _forget(name)
    limit = {MEMORY_LIMIT: MEMORY_ALONE}
    step(
        "build",
        f"building from nothing with {MEMORY_ALONE} for DuckDB",
        lambda: _build(name, _inputs(name, folder, said=True), **limit),
    )
    _forget(name)
    return found


def _measure(size: str, data: Path, without: set[str], found: dict) -> None:
    """Measure one size of the generated shop."""
    of_size = found["sizes"][size] = {"customers": CUSTOMERS[size]}
    step = _Steps(size, of_size, found)
    folder, later = data / size, data / f"{size}_day2"
    if not (_is_generated(folder) and _is_generated(later)):
        script = [str(HERE / "generate.py"), str(folder), str(CUSTOMERS[size])]
        step("generate", "generating", lambda: _run(script, spill=data))
    _count_rows(folder, of_size)
    name, said = f"bench_{size}", "loaded_at" not in without
    inputs = _inputs(name, folder, said=said)
    _forget(name)
    built = step("build", "building from nothing", lambda: _build(name, inputs))
    fitted = _clusters(name) if built else {}
    places = _run_references(step, folder, fitted, without)
    if built and places:
        step("check", "comparing the core tables", lambda: _check(name, places))
    if built and "daily" not in without:
        _measure_day(step, name, folder, later, said=said)
    if built and said and "unsaid" not in without:
        _measure_unsaid(step, name, folder, later)
    if built and "memory" not in without:
        inputs = _inputs(name, folder, said=said)
        _forget(name)
        step(
            "little_memory",
            f"building from nothing with {LITTLE_MEMORY} for DuckDB",
            lambda: _build(name, inputs, **{MEMORY_LIMIT: LITTLE_MEMORY}),
        )


def _run_references(step: _Steps, folder: Path, fitted: dict[str, int], without: set[str]) -> dict[str, Path]:
    """Run the references; return where their tables are, of those that did not fail."""
    size, script = step.size, str(HERE / "reference_duckdb.py")
    places = {"a": WORK / f"{size}_a.duckdb", "b": WORK / f"{size}_b"}
    checked = WORK / f"{size}_a_checked.duckdb"
    step("a", "reference (a)", lambda: _run([script, str(folder), str(places["a"])], steps=True))
    if "checked" not in without:
        arguments = [script, str(folder), str(checked), "--checked"]
        step("a_checked", "reference (a), every row checked", lambda: _run(arguments, steps=True))
        checked.unlink(missing_ok=True)
    if "b" not in without and fitted:
        by_pandas = [str(HERE / "reference_pandas.py"), str(folder), str(places["b"]), json.dumps(fitted)]
        step("b", "reference (b)", lambda: _run(by_pandas, steps=True))
    return {name: place for name, place in places.items() if "wall" in step.of_size.get(name, {})}


def _measure_day(step: _Steps, name: str, folder: Path, later: Path, *, said: bool) -> None:
    """Let a day pass for a built database: the daily run, and all dates anew to compare it with."""
    as_built, compared = WORK / f"{name}_as_built.duckdb", _compared(name)
    compared.unlink(missing_ok=True)
    shutil.copy(_database(name), as_built)
    inputs = _inputs(name, later, said=said)
    what = "daily" if said else "unsaid"
    if step(what, f"a day later: the daily run{'' if said else UNSAID}", lambda: _build(name, inputs)):
        _keep_open_date(name, compared, what)
        as_built.replace(_database(name))
        if step("apply", "a day later: everything, with the same fits", lambda: _apply(name, inputs)):
            _keep_open_date(name, compared, "applied")
            step(f"same_{what}", "comparing the two", lambda: _same(compared, what))
    as_built.unlink(missing_ok=True)


def _measure_unsaid(step: _Steps, name: str, folder: Path, later: Path) -> None:
    """Build and let a day pass where the inputs don't say what is new."""
    unsaid = f"{name}_unsaid"
    _forget(unsaid)
    inputs = _inputs(unsaid, folder, said=False)
    if step("build_unsaid", f"building from nothing{UNSAID}", lambda: _build(unsaid, inputs)):
        inputs = _inputs(unsaid, later, said=False)
        daily = step("unsaid", f"a day later: the daily run{UNSAID}", lambda: _build(unsaid, inputs))
        if daily and "wall" in step.of_size.get("apply", {}):
            _keep_open_date(unsaid, _compared(name), "unsaid")
            step("same_unsaid", "comparing it", lambda: _same(_compared(name), "unsaid", digits=9))
    _forget(unsaid)


def _compared(name: str) -> Path:
    """Return where the features of the latest date are kept, as different runs compute them."""
    return WORK / f"{name}_open_date.duckdb"


def _is_generated(folder: Path) -> bool:
    """Return whether the shop is there, and says when its rows were loaded."""
    files = [folder / f"{table}.parquet" for table in generate.TABLES]
    if not all(file.is_file() for file in (*files, folder / "inputs.yml")):
        return False
    columns = [duckdb.execute(f"select * from '{file}' limit 0").description for file in files]
    return all("loaded_at" in [column[0] for column in of_file] for of_file in columns)


def _run(arguments: list[str], *, steps: bool = False, spill: Path | None = None) -> dict:
    run = measure.measure(arguments, spill)
    return run.as_data() | ({"steps": json.loads(run.output)} if steps else {})


def _build(name: str, inputs: Path, **environment: str) -> dict:
    """Build an input into the database of a name; return what it took, also by node."""
    arguments = [*SEGMENTATION, "build", "--input", str(inputs)]
    run = measure.measure(arguments, PROJECT / "build", **environment)
    outcome = run.as_data() | {"command": "build", "database_size": _database(name).stat().st_size}
    return outcome | _nodes(PROJECT / "target" / name)


def _apply(name: str, inputs: Path) -> dict:
    """Compute all dates anew with the stored fits: by plain dbt, without tests."""
    variables = json.dumps(resolve(str(inputs)).vars, default=str)
    places = ["--target-path", str(PROJECT / "target" / name), "--profiles-dir", str(PROJECT)]
    arguments = ["-m", "dbt.cli.main", "run", "--quiet", "--full-refresh", "--exclude", *FITS]
    arguments += ["--vars", variables, *places]
    return measure.measure(arguments, PROJECT / "build", DBT_PROFILES_DIR=str(PROJECT)).as_data()


def _inputs(name: str, folder: Path, *, said: bool) -> Path:
    """Write and return the vars file of a folder, for the database of a name.

    The files are read by a link, so that their paths are the same from day to day, as they are where new
    files take the place of old ones: with other variables dbt would parse everything anew. said: the inputs
    say when rows were loaded.
    """
    now, link = WORK / f"{name}_now", WORK / f"{name}_next"
    link.unlink(missing_ok=True)
    link.symlink_to(folder.resolve())
    link.replace(now)
    variables = yaml.safe_load((folder / "inputs.yml").read_text(encoding="utf-8"))
    for mapping in variables["inputs"].values():
        mapping["file"] = str(now / Path(mapping["file"]).name)
        if not said:
            del mapping["loaded_at"]
    return _write_vars(name, variables | {"database": name})


def _write_vars(name: str, variables: dict) -> Path:
    path = WORK / f"{name}.yml"
    path.write_text(yaml.safe_dump(variables, sort_keys=False), encoding="utf-8")
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


def _same(database: Path, daily: str, digits: int | None = None) -> dict:
    """Compare the features of the latest date after a daily run and after a full one, with every column.

    digits: after the point, where the two have fits of their own: linear algebra is exact to about twelve.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        types = connection.execute("select column_name, column_type from (describe applied)").fetchall()
        selected = ", ".join(
            f"round({name}, {digits})" if kind == "DOUBLE" and digits else name for name, kind in types
        )
        one, other = (f"(select {selected} from {table})" for table in (daily, "applied"))
        rows, columns, different = connection.execute(
            f"""
            select
                (select count(*) from applied),
                {len(types)},
                (select count(*) from (from {one} except all from {other}))
                + (select count(*) from (from {other} except all from {one}))
            """
        ).fetchone()
    return {"rows": rows, "columns": columns, "different": different, "is_equal": rows > 0 and different == 0}


def _about() -> dict:
    return {"on": date.today().isoformat(), "commit": _commit(), "machine": _machine()}


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
