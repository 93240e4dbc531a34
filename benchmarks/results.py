"""Writes what was measured: RESULTS.md to read, results.json with all numbers."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

GB = 1024**3
DEMO = "demo"
SLOWEST = 10
# of wall time: what, at which size, which run, seconds at most
TIMES = (
    ("Demo, first build", DEMO, "build", 40),
    ("Demo, next run with nothing new", DEMO, "again", 12),
    ("100 thousand customers, first build", "100k", "build", 60),
    ("100 thousand customers, next day", "100k", "daily", 18),
    ("1 million customers, first build", "1m", "build", 200),
    ("1 million customers, next day", "1m", "daily", 45),
)
# of what is measured at the largest size
LARGEST = "1m"
DATABASE, CORE_TO_A, MEMORY, GROWTH = 2.5, 2.5, 6.0, 1.05
# to be built once with the memory of a usual machine
ONCE, MEMORY_ONCE = "10m", 24.0


def read(folder: Path) -> dict:
    """Return the results that a folder has."""
    file = folder / "results.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def write(found: dict, folder: Path) -> None:
    """Write both files into a folder."""
    (folder / "results.json").write_text(json.dumps(_rounded(found), indent=1) + "\n", encoding="utf-8")
    (folder / "RESULTS.md").write_text("\n".join([*page(found), ""]), encoding="utf-8")


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def comparisons(found: dict) -> Iterator[dict]:
    """Yield every comparison that was made."""
    for of_size in found["sizes"].values():
        yield from of_size.get("check", {}).get("comparisons", [])
        yield from (of_size[same] for same in SAME.values() if "is_equal" in of_size.get(same, {}))


def growth(found: dict, measured: Callable[[dict], float | None]) -> list[tuple[str, str, float]]:
    """Return the exponents of growth in the number of orders: (size, next size, exponent).

    measured: of a size, what grows; None where it was not measured.
    """
    known = [(size, of_size["orders"], measured(of_size)) for size, of_size in _shops(found).items()]
    known = [entry for entry in known if entry[2]]
    return [
        (small, large, math.log(more / less) / math.log(many / few))
        for (small, few, less), (large, many, more) in pairwise(known)
    ]


def _shops(found: dict) -> dict[str, dict]:
    """Return the sizes of the generated shop: the demo is another one."""
    return {size: of_size for size, of_size in found["sizes"].items() if size != DEMO}


def page(found: dict) -> list[str]:
    """Return the lines of RESULTS.md."""
    sizes, shops, machine = found["sizes"], _shops(found), found["machine"]
    largest = list(sizes)[-1]
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return [
        "# Benchmark results",
        "",
        "<!-- written by `make bench`; what is changed here by hand is lost -->",
        "",
        "How it is measured, and what the words mean: [README](README.md). What was tried to get here: "
        "[ATTEMPTS](ATTEMPTS.md).",
        "All numbers: [results.json](results.json).",
        "",
        f"Measured on {found['on']} at commit `{found['commit']}`, everything in one run on one machine"
        f"{' but what was built once' if found.get('alone') else ''}:",
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory'] / GB:.0f} GB of memory, "
        f"{machine['system']}, Python {machine['python']},",
        f"{packages}.",
        "",
        "## Targets",
        "",
        *_table(["Target", "At most", "Measured", "CPU s", ""], _targets(found)),
        "",
        "## Wall time, memory and size",
        "",
        *_table(
            RUN_HEADS,
            [row for of_size in sizes.values() for row in _runs(of_size)],
        ),
        "",
        "## Ratios, in the same run",
        "",
        *_table(
            [
                "Customers",
                "Core / (a)",
                "Core / (a) checked",
                "Core / (a), both without cluster fits",
                "Core and all it needs / (a) checked",
                "Build / (a) checked",
                "Core / (b)",
                "Next day / build",
            ],
            [_ratios(of_size) for of_size in shops.values()],
        ),
        "",
        "## Where the time of the build goes",
        "",
        *_table(
            ["Customers", "Core models s", "Other models s", "Tests s", "dbt itself s", "Whole s"],
            [_split(of_size) for of_size in sizes.values() if "wall" in of_size.get("build", {})],
        ),
        "",
        f"## The {SLOWEST} slowest nodes at {sizes[largest]['customers']:,} customers",
        "",
        *_table(
            ["Node", "Seconds", "Share of the wall time, s", "Growth from the size before", "Core"],
            _slowest(found),
        ),
        "",
        "## Growth exponents",
        "",
        *_table(
            ["From", "To", "Whole build", "Core models", "All models", "Tests", "Peak memory"],
            _growths(found),
        ),
        "",
        "## All compute the same",
        "",
        "The core tables, of the project and of each reference:",
        "",
        *_table(
            [
                "Customers",
                "Reference",
                "Tables",
                "Rows",
                "Largest difference, as part of what is allowed",
                "",
            ],
            [row for of_size in shops.values() for row in _checked(of_size)],
        ),
        "",
        "The features of the latest date, after a daily run and after all was computed anew:",
        "",
        *_table(
            ["Customers", "Daily run", "Rows", "Columns", "Different"],
            [row for of_size in shops.values() for row in _later(of_size)],
        ),
        "",
        *_alone(found),
        "## The core models",
        "",
        ", ".join(f"`{name}`" for name in sizes[largest].get("build", {}).get("core_nodes", [])) + ".",
    ]


def _alone(found: dict) -> Iterator[str]:
    """Yield the lines on each size that is built alone."""
    for of_size in found.get("alone", {}).values():
        orders, machine = of_size.get("orders"), of_size["machine"]
        yield from [
            f"## {of_size['customers']:,} customers"
            + (f" and {orders:,} orders, built once" if orders else ""),
            "",
            f"Measured on {of_size['on']} at commit `{of_size['commit']}`, on {machine['cores']} cores with "
            f"{machine['memory'] / GB:.0f} GB of memory, of which DuckDB had {of_size['memory_limit']}."
            + (f" The files of the shop take {of_size['files'] / GB:.1f} GB." if "files" in of_size else ""),
            "",
            *_table(RUN_HEADS, list(_runs(of_size))),
            "",
            "Its slowest nodes:",
            "",
            *_table(["Node", "Seconds", "Share of the wall time, s"], _slowest_of(of_size.get("build", {}))),
            "",
        ]


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    if not rows:
        return ["Not measured."]
    return [_row(heads), _row(["---"] * len(heads)), *(_row(row) for row in rows)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _wall(of_size: dict, name: str) -> float | None:
    return of_size.get(name, {}).get("wall")


def _ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above and below else None


def _said(value: float | None, form: str = ".2f") -> str:
    return "not measured" if value is None else f"{value:{form}}"


@dataclass(frozen=True)
class Target:
    """What is aimed at and what was measured: None where it was not.

    limit: at most; None where there is none. cpu: seconds of processor time, where it is a run.
    """

    what: str
    limit: float | None
    measured: float | None
    unit: str = ""
    cpu: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether it is; None where it was not measured, or nothing is aimed at."""
        return None if self.limit is None or self.measured is None else self.measured <= self.limit

    def cells(self) -> list[str]:
        """Return a row of the table."""
        unit = f" {self.unit}" if self.unit else ""
        form = ".0f" if self.unit == "s" and self.measured and self.measured >= 100 else ".3g"
        return [
            self.what,
            "" if self.limit is None else f"{self.limit:g}{unit}",
            "not measured" if self.measured is None else f"{self.measured:{form}}{unit}",
            "" if self.cpu is None else f"{self.cpu:.0f}",
            {None: "", True: "met", False: "**not met**"}[self.is_met],
        ]


def targets(found: dict) -> list[Target]:
    """Return all targets with what was measured."""
    sizes = found["sizes"]
    rows = []
    for what, size, name, limit in TIMES:
        run = sizes.get(size, {}).get(name, {})
        rows.append(Target(what, limit, run.get("wall"), "s", run.get("cpu")))
    of_size = sizes.get(LARGEST, {})
    build = of_size.get("build", {})
    core = build.get("core")
    growths = [exponent for _, size, exponent in growth(found, _build_wall) if size == LARGEST]
    for what, limit, measured, unit in (
        ("Database", DATABASE, _in_gb(build.get("database_size")), "GB"),
        ("Core models, in times of (a)", CORE_TO_A, _ratio(core, _wall(of_size, "a")), ""),
        (
            "Core models, in times of (a) with every row checked",
            None,
            _ratio(core, _checked_as_core(of_size)),
            "",
        ),
        ("Peak memory of the build", MEMORY, _in_gb(build.get("peak_memory")), "GB"),
        ("Growth exponent of the build, from the size before", GROWTH, growths[0] if growths else None, ""),
    ):
        rows.append(Target(f"1 million customers, {what[0].lower()}{what[1:]}", limit, measured, unit))
    return rows


def _targets(found: dict) -> list[list[str]]:
    told = [target.cells() for target in targets(found)]
    little = next((of["little_memory"] for of in found["sizes"].values() if "little_memory" in of), None)
    if little:
        told.append(["Largest size, with 2 GB for DuckDB", "succeeds", *_outcome(little)])
    once = found.get("alone", {}).get(ONCE, {})
    what = "10 million customers, built once" + (f" at commit `{once['commit']}`" if once else "")
    return [*told, [what, f"{MEMORY_ONCE:g} GB of memory", *_outcome(once.get("build"), MEMORY_ONCE)]]


def _outcome(run: dict | None, memory: float | None = None) -> list[str]:
    """Return what to say of a run that must succeed, with no more than so many GB of memory."""
    if run is None:
        return ["not measured", "", ""]
    if "problem" in run:
        return ["failed", "", "**not met**"]
    peak = _in_gb(run["peak_memory"])
    parts = [
        f"{run['wall']:.0f} s",
        *([f"{peak:.1f} GB of memory"] if memory and peak else []),
        f"{run['spilled'] / GB:.1f} GB spilled",
    ]
    is_met = memory is None or (peak is not None and peak <= memory)
    return [", ".join(parts), f"{run['cpu']:.0f}", "met" if is_met else "**not met**"]


def _in_gb(size: float | None) -> float | None:
    return size / GB if size else None


def _build_wall(of_size: dict) -> float | None:
    return _wall(of_size, "build")


RUNS = {
    "generate": "generating the shop",
    "build": "first build, tests included",
    "again": "once more, with nothing new",
    "a": "reference (a), DuckDB and scipy",
    "a_checked": "reference (a), every row checked",
    "b": "reference (b), pandas",
    "daily": "a day later, daily run",
    "apply": "a day later, all models with the same fits, no tests",
    "build_unsaid": "first build, inputs don't say what is new",
    "unsaid": "a day later, daily run, inputs don't say what is new",
    "little_memory": "first build with 2 GB for DuckDB",
}
RUN_HEADS = [
    "Customers",
    "Orders",
    "What",
    "Wall s",
    "CPU s",
    "Peak memory GB",
    "Spilled GB",
    "Database GB",
    "Load before",
]
# of each daily run, what came of comparing it with a run that computes all anew
SAME = {"daily": "same_daily", "unsaid": "same_unsaid"}


def _runs(of_size: dict) -> Iterator[list[str]]:
    for name, what in RUNS.items():
        run = of_size.get(name)
        if not run:
            continue
        start = [f"{of_size['customers']:,}", f"{of_size['orders']:,}", what]
        if "problem" in run:
            yield [*start, "failed", "", "", "", "", ""]
            continue
        size = run.get("database_size")
        yield [
            *start,
            f"{run['wall']:.1f}",
            f"{run['cpu']:.1f}",
            f"{run['peak_memory'] / GB:.2f}" if run["peak_memory"] else "",
            f"{run['spilled'] / GB:.2f}",
            f"{size / GB:.2f}" if size else "",
            f"{run['load']:.1f}",
        ]


def _checked_as_core(of_size: dict) -> float | None:
    """Return the seconds of (a) that checks the inputs which core models check, and no others."""
    wall = _wall(of_size, "a_checked")
    core = of_size.get("build", {}).get("core_nodes", [])
    for step, seconds in of_size.get("a_checked", {}).get("steps", {}).items():
        if step.startswith("check ") and f"checked_{step.removeprefix('check ')}" not in core:
            wall -= seconds
    return wall


def _ratios(of_size: dict) -> list[str]:
    build, a, whole = of_size.get("build", {}), _wall(of_size, "a"), _wall(of_size, "a_checked")
    wall, core = build.get("wall"), build.get("core")
    core_only = a_only = None
    if core and a:
        core_only = core - build["nodes"].get("fit_clusters", {}).get("share", 0.0)
        a_only = a - of_size["a"]["steps"].get("cluster fits, beyond the rest", 0.0)
    return [
        f"{of_size['customers']:,}",
        *(
            _said(_ratio(above, below))
            for above, below in (
                (core, a),
                (core, _checked_as_core(of_size)),
                (core_only, a_only),
                (build.get("needed"), whole),
                (wall, whole),
                (core, _wall(of_size, "b")),
                (_wall(of_size, "daily"), wall),
            )
        ),
    ]


def _split(of_size: dict) -> list[str]:
    build = of_size["build"]
    other = build["models"] - build["core"]
    itself = build["wall"] - build["models"] - build["tests"]
    return [
        f"{of_size['customers']:,}",
        *(f"{value:.1f}" for value in (build["core"], other, build["tests"], itself, build["wall"])),
    ]


def _growths(found: dict) -> list[list[str]]:
    measures = [
        lambda size: _wall(size, "build"),
        lambda size: size.get("build", {}).get("core"),
        lambda size: size.get("build", {}).get("models"),
        lambda size: size.get("build", {}).get("tests"),
        lambda size: size.get("build", {}).get("peak_memory"),
    ]
    columns = [growth(found, measured) for measured in measures]
    return [
        [first[0], first[1], *(f"{column[number][2]:.2f}" for column in columns)]
        for number, first in enumerate(columns[0])
    ]


def _slowest(found: dict) -> list[list[str]]:
    largest = list(found["sizes"].values())[-1]
    build = largest.get("build", {})
    rows = []
    for row, name in zip(_slowest_of(build), _slowest_names(build), strict=True):
        exponents = growth(
            found, lambda size, name=name: size.get("build", {}).get("nodes", {}).get(name, {}).get("seconds")
        )
        grown = f"{exponents[-1][2]:.2f}" if exponents and largest in _shops(found).values() else ""
        rows.append([*row, grown, "core" if name in build["core_nodes"] else ""])
    return rows


def _slowest_names(build: dict) -> list[str]:
    nodes = build.get("nodes", {})
    return sorted(nodes, key=lambda name: -nodes[name]["seconds"])[:SLOWEST]


def _slowest_of(build: dict) -> list[list[str]]:
    return [
        [f"`{name}`", f"{build['nodes'][name]['seconds']:.1f}", f"{build['nodes'][name]['share']:.1f}"]
        for name in _slowest_names(build)
    ]


def _checked(of_size: dict) -> Iterator[list[str]]:
    """Yield a row for each reference, and one for each table that differs."""
    found = of_size.get("check", {}).get("comparisons", [])
    for reference in sorted({comparison["reference"] for comparison in found}):
        of_reference = [comparison for comparison in found if comparison["reference"] == reference]
        largest = max(of["largest_difference"] / of["tolerance"] for of in of_reference)
        start = [f"{of_size['customers']:,}", reference]
        yield [
            *start,
            str(len(of_reference)),
            f"{sum(of['rows'] for of in of_reference):,}",
            f"{largest:.1%}",
            "equal" if all(of["is_equal"] for of in of_reference) else "**differ**",
        ]
        for of in of_reference:
            if not of["is_equal"]:
                problems = "; ".join(of["problems"] or ["nothing compared"])
                yield [*start, f"`{of['table']}`", f"{of['rows']:,}", "", f"**{problems}**"]


def _later(of_size: dict) -> Iterator[list[str]]:
    for daily, same in SAME.items():
        found = of_size.get(same, {})
        if "rows" in found:
            yield [
                f"{of_size['customers']:,}",
                "inputs say what is new" if daily == "daily" else "inputs don't say what is new",
                f"{found['rows']:,}",
                str(found["columns"]),
                f"{found['different']:,}",
            ]
