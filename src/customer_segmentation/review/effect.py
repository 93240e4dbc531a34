"""Whom a changed definition would move, and what is at stake: one pass over the features of one date."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import duckdb

from customer_segmentation.definitions.conditions import null_if_undefined
from customer_segmentation.review.sides import Definition, ReviewError

NOWHERE = "(none)"
MEASURES = ("customers", "revenue_12m", "expected_revenue_365d", "reachable")


@dataclass(frozen=True)
class Measures:
    """What some customers add up to: their number, revenue, expected revenue, and how many can be reached."""

    customers: int = 0
    revenue_12m: float = 0.0
    expected_revenue_365d: float = 0.0
    reachable: int = 0

    def __add__(self, other: "Measures") -> "Measures":
        return Measures(*(getattr(self, name) + getattr(other, name) for name in MEASURES))

    def shares(self, of: "Measures") -> tuple[float | None, ...]:
        """Return what share of others each measure is; None of nothing."""
        return tuple(
            getattr(self, name) / getattr(of, name) if getattr(of, name) else None for name in MEASURES
        )


@dataclass(frozen=True)
class Effect:
    """Customers by segment before and after: {(before, after): measures}; NOWHERE is outside of all segments.

    Of an overlapping segmentation a customer counts once for each segment that he or she is in, before or
    after, as (segment, segment), (NOWHERE, segment) or (segment, NOWHERE); `total` and `moved` count all
    customers once. `total` is everybody whom the segmentation looks at: the population of overlapping ones,
    also those in no segment.
    """

    old: Definition | None
    new: Definition | None
    matrix: dict[tuple[str, str], Measures]
    total: Measures
    moved: Measures

    @property
    def definition(self) -> Definition:
        """The definition after the change, or the one that goes."""
        return _either(self.new, self.old)

    @property
    def is_added(self) -> bool:
        """Whether the segmentation is new."""
        return self.old is None

    @property
    def is_removed(self) -> bool:
        """Whether the segmentation goes."""
        return self.new is None

    def before(self, segment: str) -> Measures:
        """Return those who were in a segment."""
        return _sum(measures for (was, _), measures in self.matrix.items() if was == segment)

    def after(self, segment: str) -> Measures:
        """Return those who would be in a segment."""
        return _sum(measures for (_, now), measures in self.matrix.items() if now == segment)

    def entered(self, segment: str) -> Measures:
        """Return those who would come into a segment."""
        return _sum(
            measures for (was, now), measures in self.matrix.items() if now == segment and was != segment
        )

    def left(self, segment: str) -> Measures:
        """Return those who would leave a segment."""
        return _sum(
            measures for (was, now), measures in self.matrix.items() if was == segment and now != segment
        )

    def segments(self) -> list[str]:
        """Return all segments, before or after, in the order of the definition."""
        names = [segment["name"] for segment in self.definition.segments]
        seen = sorted({name for pair in self.matrix for name in pair} - {NOWHERE, *names})
        return [*names, *seen]


def _either(first: Definition | None, second: Definition | None) -> Definition:
    """Return the first of two definitions that is there: one of them is."""
    found = first or second
    assert found is not None
    return found


def _sum(measures: Iterable[Measures]) -> Measures:
    return sum(measures, Measures())


def available_dates(connection: duckdb.DuckDBPyConnection, relation: str) -> list[date]:
    """Return the as-of dates of the features, latest first."""
    rows = connection.execute(f"select distinct as_of_date from {relation} order by 1 desc").fetchall()
    return [day for (day,) in rows]


def choose_date(dates: list[date], wanted: date | None) -> date:
    """Return the date to look at: the one wanted, else the latest."""
    if not dates:
        raise ReviewError("The database has no customers yet. Build it first: make build.")
    if wanted is None:
        return dates[0]
    if wanted not in dates:
        raise ReviewError(f"{wanted} is no as-of date. There are {', '.join(map(str, dates))}.")
    return wanted


def missing_columns(
    connection: duckdb.DuckDBPyConnection, relation: str, definitions: Iterable[Definition]
) -> dict[str, list[str]]:
    """Return {segmentation: columns that its definition uses and the database hasn't}."""
    described = connection.execute(f"select * from {relation} limit 0").description
    present = {column[0] for column in described}
    return {
        definition.name: sorted(set(definition.columns) - present)
        for definition in definitions
        if set(definition.columns) - present
    }


def measure(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    as_of_date: date,
    before: Definition | None,
    after: Definition | None,
    renamed: dict[str, str],
) -> Effect:
    """Place the customers of a date by two definitions, and add up those who change.

    before and after: either may be missing, for a segmentation that is new or that goes. renamed: {name
    before: name after} of segments that are the same; nobody moves from one to the other.
    """
    definition = _either(after, before)
    connection.execute(
        "create or replace temp table placed as select "
        f"{_expression(before)} as was, {_expression(after)} as now, "
        f"{_looked_at(before, after)} as is_looked_at, coalesce(revenue_12m, 0) as revenue_12m, "
        "coalesce(cast(expected_revenue_365d as decimal(18, 4)), 0) as expected_revenue_365d, "
        "case when is_reachable then 1 else 0 end as is_reachable "
        f"from {relation} where as_of_date = ?",
        [as_of_date],
    )
    for old, new in renamed.items():
        pattern = f"(^|\\|){old}(\\||$)"
        connection.execute(
            "update placed set was = regexp_replace(was, ?, ?) where was is not null",
            [pattern, f"\\1{new}\\2"],
        )
    rows = connection.execute(
        "select coalesce(was, ''), coalesce(now, ''), count(*), sum(revenue_12m), "
        "sum(expected_revenue_365d), sum(is_reachable) from placed "
        "where was is not null or now is not null or is_looked_at group by 1, 2 order by 1, 2"
    ).fetchall()
    matrix: dict[tuple[str, str], Measures] = {}
    total = moved = Measures()
    for was, now, customers, revenue, expected, reachable in rows:
        measures = Measures(customers, float(revenue), float(expected), int(reachable))
        total += measures
        # bars stand between the segments of an overlapping segmentation, whose order is no difference
        if set(was.split("|")) != set(now.split("|")):
            moved += measures
        for pair in _pairs(was, now, definition.is_overlapping):
            matrix[pair] = matrix.get(pair, Measures()) + measures
    return Effect(before, after, matrix, total, moved)


def _looked_at(before: Definition | None, after: Definition | None) -> str:
    """SQL for whether an overlapping segmentation looks at a customer; the others place everybody they do."""
    populations = [
        f"coalesce({null_if_undefined(definition.population or 'true')}, false)"
        for definition in (before, after)
        if definition and definition.is_overlapping
    ]
    return f"({' or '.join(populations)})" if populations else "false"


def _expression(definition: Definition | None) -> str:
    return f"({definition.expression})" if definition else "cast(null as varchar)"


def _pairs(was: str, now: str, is_overlapping: bool) -> list[tuple[str, str]]:
    if not (was or now):
        return []
    if not is_overlapping:
        return [(was or NOWHERE, now or NOWHERE)]
    before, after = set(was.split("|")) - {""}, set(now.split("|")) - {""}
    return [
        (segment if segment in before else NOWHERE, segment if segment in after else NOWHERE)
        for segment in sorted(before | after)
    ]


def causes_since(
    connection: duckdb.DuckDBPyConnection, moves: str, as_of_date: date, definition: Definition
) -> tuple[date | None, dict[str, int]]:
    """Return the date before, and how many moved since by cause (customer, definition, refit).

    moves: the table of moves as published. Of an overlapping segmentation each segment that a customer came
    into or left counts.
    """
    known = "" if definition.is_overlapping else "and from_segment is not null and to_segment is not null "
    rows = connection.execute(
        f"select previous_as_of_date, cause, cast(sum(customers) as bigint) from {moves} "
        "where as_of_date = ? and segmentation = ? and cause not in ('none', 'undated', 'told') "
        f"and previous_as_of_date is not null {known}group by 1, 2 order by 1, 2",
        [as_of_date, definition.name],
    ).fetchall()
    return (rows[0][0] if rows else None), {cause: customers for _, cause, customers in rows}


@dataclass(frozen=True)
class DataEffect:
    """Whom the same definition places differently in two databases: other facts, or other fits."""

    data: int
    refit: int


def compare_databases(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    base_relation: str,
    as_of_date: date,
    definition: Definition,
    raw_columns: dict[str, str],
) -> DataEffect:
    """Count whom a definition places differently in two databases.

    raw_columns: {column: model} of facts. Customers of whom a fact that the definition uses differs, or who
    are in one database alone, have moved by their data; the others by what is learned from everybody:
    cut-offs, clusters, expectations. Behind those stand the facts of features_rfm.
    """
    if as_of_date not in available_dates(connection, base_relation):
        raise ReviewError(f"The base database has no as-of date {as_of_date}: build both on the same data.")
    lacking = missing_columns(connection, base_relation, [definition])
    if lacking:
        raise ReviewError(
            f"The base database has no {', '.join(lacking[definition.name])}, which {definition.name} uses: "
            "build it from the base."
        )
    uses_learned = any(column not in raw_columns for column in definition.columns)
    shared = [
        column
        for column, model in raw_columns.items()
        if column not in {"customer_id", "as_of_date"}
        and (column in definition.columns or (uses_learned and model == "features_rfm"))
    ]
    expression = _expression(definition)

    def placed(source: str) -> str:
        return (
            f"select customer_id, {expression} as segment, md5(concat_ws('|', "
            + ", ".join(f"coalesce(cast({column} as varchar), '')" for column in shared)
            + f")) as facts from {source} where as_of_date = date '{as_of_date}'"
        )

    ((data, refit),) = connection.execute(
        f"with now as ({placed(relation)}), before as ({placed(base_relation)}) "
        "select count(*) filter (now.facts is distinct from before.facts), "
        "count(*) filter (now.facts is not distinct from before.facts) "
        "from now full outer join before on now.customer_id = before.customer_id "
        "where now.segment is distinct from before.segment"
    ).fetchall()
    return DataEffect(data, refit)
