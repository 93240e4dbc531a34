"""Writes what was measured: RESULTS.md to read, results.json with all numbers."""

import json
import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

GB = 1024**3
# what is aimed at, at the largest size
TARGETS = {
    "core_to_a": 1.5,
    "b_to_core": 5.0,
    "build_to_a": 4.0,
    "build_to_b": 1.0,
    "memory": 6.0,
    "growth": 1.05,
    "refresh": 0.15,
}
SLOWEST = 10


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
        if "is_equal" in of_size.get("same", {}):
            yield of_size["same"]


def growth(found: dict, measured: Callable[[dict], float | None]) -> list[tuple[str, str, float]]:
    """Return the exponents of growth in the number of orders: (size, next size, exponent).

    measured: of a size, what grows; None where it was not measured.
    """
    known = [(size, of_size["orders"], measured(of_size)) for size, of_size in found["sizes"].items()]
    known = [entry for entry in known if entry[2]]
    return [
        (small, large, math.log(more / less) / math.log(many / few))
        for (small, few, less), (large, many, more) in pairwise(known)
    ]


def page(found: dict) -> list[str]:
    """Return the lines of RESULTS.md."""
    sizes, machine = found["sizes"], found["machine"]
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
        f"Measured on {found['on']} at commit `{found['commit']}`, everything in one run on one machine:",
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory'] / GB:.0f} GB of memory, "
        f"{machine['system']}, Python {machine['python']},",
        f"{packages}.",
        "",
        f"## Targets, at {sizes[largest]['customers']:,} customers and {sizes[largest]['orders']:,} orders",
        "",
        *_table(["Target", "At most", "Measured", ""], _targets(found)),
        "",
        "## Wall time, memory and size",
        "",
        *_table(
            [
                "Customers",
                "Orders",
                "What",
                "Wall s",
                "CPU s",
                "Peak memory GB",
                "Spilled GB",
                "Database GB",
                "Load before",
            ],
            [row for of_size in sizes.values() for row in _runs(of_size)],
        ),
        "",
        "## Ratios, in the same run",
        "",
        *_table(
            [
                "Customers",
                "Build / (a)",
                "Build / (b)",
                "Core / (a)",
                "(b) / core",
                "Core and all it needs / (a)",
                "Core / (a), both without cluster fits",
            ],
            [_ratios(of_size) for of_size in sizes.values()],
        ),
        "",
        "## Where the time of the build goes",
        "",
        *_table(
            ["Customers", "Core models s", "Other models s", "Tests s", "dbt itself s", "Whole s"],
            [_split(of_size) for of_size in sizes.values() if "wall" in of_size.get("build", {})],
        ),
        "",
        "## Growth exponents",
        "",
        *_table(
            ["From", "To", "Whole build", "Core models", "All models", "Tests", "Peak memory"],
            _growths(found),
        ),
        "",
        f"## The {SLOWEST} slowest nodes at {sizes[largest]['customers']:,} customers",
        "",
        *_table(
            ["Node", "Seconds", "Share of the wall time, s", "Growth from the size before", "Core"],
            _slowest(found),
        ),
        "",
        "## Steps of the references",
        "",
        *_table(["Customers", "Reference", "Steps, s"], _steps(found)),
        "",
        "## The core tables of all three are equal",
        "",
        *_table(
            ["Customers", "Reference", "Table", "Rows", "Columns", "Largest difference", "Allowed", ""],
            [row for of_size in sizes.values() for row in _checked(of_size)],
        ),
        "",
        "## A day later",
        "",
        *_table(
            [
                "Customers",
                "Refresh s",
                "Part of the build",
                "Everything with the same fits s",
                "Rows compared",
                "Columns",
                "Different",
            ],
            [row for of_size in sizes.values() for row in _later(of_size)],
        ),
        "",
        "## The core models",
        "",
        ", ".join(f"`{name}`" for name in sizes[largest].get("build", {}).get("core_nodes", [])) + ".",
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


def _targets(found: dict) -> list[list[str]]:
    of_size = list(found["sizes"].values())[-1]
    build, a, b = of_size.get("build", {}), _wall(of_size, "a"), _wall(of_size, "b")
    wall, core = build.get("wall"), build.get("core")
    growths = growth(found, lambda size: _wall(size, "build"))
    peak = build["peak_memory"] / GB if build.get("peak_memory") else None
    rows = [
        ("Core models, in times of (a)", TARGETS["core_to_a"], _ratio(core, a)),
        ("Core models, in times of (b)", 1 / TARGETS["b_to_core"], _ratio(core, b)),
        ("Whole build with tests, in times of (a)", TARGETS["build_to_a"], _ratio(wall, a)),
        ("Whole build with tests, in times of (b)", TARGETS["build_to_b"], _ratio(wall, b)),
        ("Peak memory of the build, GB", TARGETS["memory"], peak),
        (
            "Growth exponent of the whole build, from the size before",
            TARGETS["growth"],
            growths[-1][2] if growths else None,
        ),
        ("Daily run, as part of the build", TARGETS["refresh"], _ratio(_wall(of_size, "refresh"), wall)),
    ]
    told = [
        [
            name,
            f"{limit:g}",
            _said(value),
            "" if value is None else "met" if value <= limit else "**not met**",
        ]
        for name, limit, value in rows
    ]
    little = of_size.get("little_memory")
    if little:
        worked = "wall" in little
        told.append(
            [
                "Build with 2 GB for DuckDB",
                "succeeds",
                f"{little['wall']:.0f} s, {little['spilled'] / GB:.1f} GB spilled" if worked else "failed",
                "met" if worked else "**not met**",
            ]
        )
    return told


RUNS = {
    "build": "full build, tests included",
    "a": "reference (a), DuckDB and scipy",
    "b": "reference (b), pandas",
    "refresh": "a day later, daily run",
    "apply": "a day later, all models with the same fits, no tests",
    "little_memory": "full build with 2 GB for DuckDB",
}


def _runs(of_size: dict) -> Iterator[list[str]]:
    for name, what in RUNS.items():
        run = of_size.get(name)
        if not run:
            continue
        what += f" (`segmentation {run['command']}`)" if "command" in run else ""
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


def _ratios(of_size: dict) -> list[str]:
    build, a, b = of_size.get("build", {}), _wall(of_size, "a"), _wall(of_size, "b")
    wall, core = build.get("wall"), build.get("core")
    core_only = a_only = None
    if core and a:
        clusters = build["nodes"].get("fit_clusters", {}).get("share", 0.0)
        core_only, a_only = (
            core - clusters,
            a - of_size["a"]["steps"].get("cluster fits, beyond the rest", 0.0),
        )
    return [
        f"{of_size['customers']:,}",
        *(
            _said(_ratio(above, below))
            for above, below in (
                (wall, a),
                (wall, b),
                (core, a),
                (b, core),
                (build.get("needed"), a),
                (core_only, a_only),
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
    sizes = [of_size for of_size in found["sizes"].values() if "nodes" in of_size.get("build", {})]
    if not sizes:
        return []
    build = sizes[-1]["build"]
    rows = []
    for name, node in sorted(build["nodes"].items(), key=lambda item: -item[1]["seconds"])[:SLOWEST]:
        exponents = growth(
            found, lambda size, name=name: size.get("build", {}).get("nodes", {}).get(name, {}).get("seconds")
        )
        rows.append(
            [
                f"`{name}`",
                f"{node['seconds']:.1f}",
                f"{node['share']:.1f}",
                f"{exponents[-1][2]:.2f}" if exponents else "",
                "core" if name in build["core_nodes"] else "",
            ]
        )
    return rows


def _steps(found: dict) -> list[list[str]]:
    return [
        [
            f"{of_size['customers']:,}",
            f"({name})",
            ", ".join(f"{step} {seconds:.1f}" for step, seconds in of_size[name]["steps"].items()),
        ]
        for of_size in found["sizes"].values()
        for name in ("a", "b")
        if "steps" in of_size.get(name, {})
    ]


def _checked(of_size: dict) -> Iterator[list[str]]:
    for found in of_size.get("check", {}).get("comparisons", []):
        yield [
            f"{of_size['customers']:,}",
            found["reference"],
            f"`{found['table']}`",
            f"{found['rows']:,}",
            str(found["columns"]),
            f"{found['largest_difference']:.1e}",
            f"{found['tolerance']:.0e}",
            "equal"
            if found["is_equal"]
            else "**" + "; ".join(found["problems"] or ["nothing compared"]) + "**",
        ]


def _later(of_size: dict) -> Iterator[list[str]]:
    same = of_size.get("same")
    if not same or "rows" not in same:
        return
    refresh, build = _wall(of_size, "refresh"), _wall(of_size, "build")
    yield [
        f"{of_size['customers']:,}",
        f"{refresh:.1f}",
        f"{refresh / build:.1%}",
        f"{_wall(of_size, 'apply'):.1f}",
        f"{same['rows']:,}",
        str(same["columns"]),
        f"{same['different']:,}",
    ]
