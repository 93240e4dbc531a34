"""Compares the core tables of the project with those of the references, row by row and column by column.

`python benchmarks/check.py DATABASE [--duckdb DATABASE_OF_A] [--pandas FOLDER_OF_B]` prints what was compared
and exits with 1 if anything differs by more than core.py allows, or if nothing was compared.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
from core import TABLES, Table


@dataclass(frozen=True)
class Comparison:
    """What came of comparing a table with that of a reference."""

    table: str
    reference: str
    rows: int
    columns: int
    largest_difference: float
    tolerance: float
    problems: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Whether something was compared and nothing differs."""
        return self.rows > 0 and not self.problems

    def __str__(self) -> str:
        verdict = "equal" if self.is_equal else "; ".join(self.problems) or "nothing was compared"
        return (
            f"{self.reference}  {self.table:<13} {self.rows:>11,} rows  {self.columns:>2} columns  "
            f"largest difference {self.largest_difference:.1e} of {self.tolerance:.0e}  {verdict}"
        )


def compare(project: Path, references: dict[str, Path]) -> list[Comparison]:
    """Compare every core table of a project's database with each reference.

    references: {"a": the database of (a), "b": the folder of (b)}, one or both.
    """
    with duckdb.connect() as connection:
        # under its own name, by which its views know it
        connection.execute(f"attach '{project}' (read_only)")
        if "a" in references:
            connection.execute(f"attach '{references['a']}' as a (read_only)")
        found = []
        for table in TABLES:
            # the queries name the schemas of the project
            connection.execute(f'use "{project.stem}"')
            columns = ", ".join(table.columns)
            connection.execute(f"create or replace temp table ours as select {columns} from ({table.query})")
            for name, place in references.items():
                theirs = f"a.main.{table.name}" if name == "a" else f"'{place / table.name}.parquet'"
                found.append(_compare(connection, table, name, theirs))
        return found


def _compare(connection: duckdb.DuckDBPyConnection, table: Table, reference: str, theirs: str) -> Comparison:
    types = dict(connection.execute("select column_name, column_type from (describe ours)").fetchall())
    columns = ", ".join(f"{name}::{types[name]} as {name}" for name in table.columns)
    connection.execute(f"create or replace temp table theirs as select {columns} from {theirs}")
    keys = " and ".join(f"ours.{name} is not distinct from theirs.{name}" for name in table.key)
    by_name = table.named if reference == "a" else ()
    measures = {
        f"{name} differs": _count(f"ours.{name} is distinct from theirs.{name}")
        for name in (*table.exact, *by_name)
    }
    measures |= {
        f"{name} is known on one side": _count(f"(ours.{name} is null) <> (theirs.{name} is null)")
        for name in table.close
    }
    measures |= {
        f"{name} differs by more than half a cent": _count(
            f"coalesce(abs(ours.{name} - theirs.{name}) > 0.00501, true) "
            f"and ours.{name} is distinct from theirs.{name}"
        )
        for name in table.cents
    }
    differences = [
        f"abs(ours.{name} - theirs.{name}) / greatest(abs(ours.{name}), abs(theirs.{name}), {table.floor})"
        for name in table.close
    ]
    largest = f"max(greatest({', '.join(differences)}))" if differences else "0"
    rows, difference, *counts = connection.execute(
        f"""
        select count(*), coalesce({largest}, 0){"".join(f", {measure}" for measure in measures.values())}
        from ours inner join theirs on {keys}
        """
    ).fetchone()
    problems = [
        f"{count:,} rows: {problem}" for problem, count in zip(measures, counts, strict=True) if count
    ]
    for side in ("ours", "theirs"):
        (of_side,) = connection.execute(f"select count(*) from {side}").fetchone()
        if of_side != rows:
            whose = "the project" if side == "ours" else f"({reference})"
            problems.append(f"{of_side:,} rows of {whose} with {rows:,} matches")
    tolerance = table.tolerance[0 if reference == "a" else 1]
    if not difference <= tolerance:  # so that NaN is found as well
        problems.append(f"difference {difference:.1e}")
    if reference != "a":
        for name in table.named:
            problems += _renamed(connection, table, name, keys)
    return Comparison(
        table.name, f"({reference})", rows, len(table.columns), float(difference), tolerance, tuple(problems)
    )


def _count(condition: str) -> str:
    return f"count(*) filter (where {condition})"


def _renamed(connection: duckdb.DuckDBPyConnection, table: Table, name: str, keys: str) -> list[str]:
    """Return a problem unless, at each date, each of our names stands for one of theirs and back."""
    (several,) = connection.execute(
        f"""
        select count(*)
        from (
            select ours.as_of_date
            from ours inner join theirs on {keys}
            group by ours.as_of_date
            having count(distinct (ours.{name}, theirs.{name})) > count(distinct ours.{name})
                or count(distinct ours.{name}) <> count(distinct theirs.{name})
        )
        """
    ).fetchone()
    return [f"{several} dates: {name} is divided otherwise"] if several else []


def main() -> None:
    """Compare what the arguments name, print it, and fail if anything differs."""
    parser = argparse.ArgumentParser(
        description="Compares the core tables of a build with those of the references."
    )
    parser.add_argument("project", type=Path)
    parser.add_argument("--duckdb", type=Path)
    parser.add_argument("--pandas", type=Path)
    arguments = parser.parse_args()
    places = {"a": arguments.duckdb, "b": arguments.pandas}
    found = compare(arguments.project, {name: place for name, place in places.items() if place})
    for comparison in found:
        print(comparison)
    if not found or not all(comparison.is_equal for comparison in found):
        sys.exit("The core tables are not equal." if found else "Nothing was compared.")


if __name__ == "__main__":
    main()
