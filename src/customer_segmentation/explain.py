"""What is known of one customer: every segment, why, how far the next better one is, and every move."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from customer_segmentation import databases
from customer_segmentation.definitions.conditions import null_if_undefined
from customer_segmentation.errors import ReadableError, unknown
from customer_segmentation.terms import alternatives_of, columns_of, listed, with_values

NEAREST = """
select customer_id from marts.customers
order by
    case when lower(customer_id) = lower(?) then 0 else 1 end,
    levenshtein(lower(customer_id), lower(?)),
    customer_id
limit 5
"""

KNOWN_ON = "select as_of_date from segments.segment_history where customer_id = ? order by as_of_date"

DATES = "select distinct as_of_date from segments.publications order by as_of_date"

CATALOGUE = """
select segmentation, segment, label, condition, assignment, segment_rank, left_out_because
from marts.segments
order by rowid
"""

PUBLICATIONS = """
select as_of_date, segmentation, definition_version, definition
from segments.publications
order by as_of_date
"""

MEMBERSHIP = """
with

record as (
    select * exclude (customer_id, history_hash, lifetime_revenue)
    from segments.segment_history
    where customer_id = ? and as_of_date <= ?
)

select
    as_of_date,
    segmentation,
    unnest(string_split(segments, '|')) as segment,
    moved_by_rule
from (unpivot record on * exclude (as_of_date, moved_by_rule) into name segmentation value segments)
order by 1, 2, 3
"""

# a table of the connection's own: conditions are evaluated on its one row
FEATURES = """
create or replace temp table explained_features as
select * from segments.customer_features where customer_id = ? and as_of_date = ?
"""

DISTANCE = """
select
    segmentation,
    next_segment,
    feature,
    comparison,
    term,
    metric,
    value,
    needed,
    metric_value,
    metric_needed,
    orders_needed,
    orders_to_next,
    is_complete
from marts.segment_distance_to_next
where customer_id = ? and as_of_date = ?
order by segmentation, orders_needed nulls last, term
"""


Row = tuple[Any, ...]
Pair = tuple[str | None, str | None]  # from a segment, to a segment
Values = dict[str, Any]  # of a customer, by column
Definition = dict[str, Any]  # as published


class ExplainError(ReadableError):
    """A customer can't be explained; the message says why, and what to do."""


class Entry(NamedTuple):
    """A segment of the catalogue."""

    segmentation: str
    segment: str
    label: str | None
    condition: str | None
    assignment: str
    rank: int | None
    left_out_because: str | None


@dataclass(frozen=True)
class Unmet:
    """A term that the customer lacks on the way up: a row of segment_distance_to_next."""

    feature: str | None
    comparison: str | None
    term: str
    metric: str | None
    value: float | None
    needed: float | None
    metric_value: float | None
    metric_needed: float | None
    orders_needed: int | None


@dataclass(frozen=True)
class WayUp:
    """The next better segment, and what is lacking."""

    segment: str
    orders: int | None
    is_complete: bool
    unmet: list[Unmet]


@dataclass(frozen=True)
class Place:
    """Where the customer is in a segmentation: segments by label, none if in no segment."""

    segmentation: str
    segments: list[str]
    because: list[str]
    why_not_better: str | None = None
    remarks: list[str] = field(default_factory=list)
    way_up: WayUp | None = None


@dataclass(frozen=True)
class Move:
    """A move on the published record; no segment is the outside of the segmentation."""

    as_of_date: date
    segmentation: str
    from_segment: str | None
    to_segment: str | None
    cause: str


@dataclass(frozen=True)
class Explanation:
    """All that is said of a customer."""

    customer_id: str
    as_of_date: date
    latest: date
    known_since: date
    is_known_longer: bool
    values: Values
    places: list[Place]
    moves: list[Move]
    left_out: dict[str, str]


def explain(
    database: Path, customer_id: str, as_of: date | None = None, segmentation: str | None = None
) -> Explanation:
    """Read what a database knows of a customer at an as-of date, by default the latest one."""
    with databases.opened(database) as connection:
        return _Record(connection, database).explain(customer_id, as_of, segmentation)


class _Record:
    """What the published record, the features and the catalogue say."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, database: Path):
        self.connection = connection
        self.database = database
        self.dates = [row[0] for row in self._rows(DATES)]
        entries = [Entry(*row) for row in self._rows(CATALOGUE)]
        self.catalogue = {(entry.segmentation, entry.segment): entry for entry in entries}
        self.publications: dict[tuple[date, str], tuple[str, Definition]] = {}
        for as_of_date, segmentation, version, definition in self._rows(PUBLICATIONS):
            self.publications[as_of_date, segmentation] = (version, json.loads(definition))

    def _rows(self, query: str, *values: object) -> list[Row]:
        return self.connection.execute(query, values or None).fetchall()

    def explain(self, customer_id: str, as_of: date | None, segmentation: str | None) -> Explanation:
        """See the function of this name."""
        if not self.dates:
            raise ExplainError(f"{self.database} has no customers.")
        latest = self.dates[-1]
        day = as_of or latest
        if day not in self.dates:
            raise ExplainError(f"{day} is no as-of date. There is {_enumerated(self.dates)}.")
        named = list(dict.fromkeys(name for name, _ in self.catalogue))
        if segmentation and segmentation not in named:
            raise ExplainError(unknown("segmentation", segmentation, named))
        self._check_known(customer_id, day)
        values = self._features(customer_id, day)
        membership = self._rows(MEMBERSHIP, customer_id, day)
        ways = self._ways_up(customer_id, day)
        asked = [segmentation] if segmentation else named
        known_on = [row[0] for row in self._rows(KNOWN_ON, customer_id)]
        return Explanation(
            customer_id=customer_id,
            as_of_date=day,
            latest=latest,
            known_since=known_on[0],
            is_known_longer=known_on[0] == self.dates[0],
            values=values,
            places=[
                self._place(name, day, values, membership, ways.get(name))
                for name in asked
                if (day, name) in self.publications
            ],
            moves=[move for name in asked for move in self._moves(name, day, known_on, membership)],
            left_out={name: self._left_out(name) for name in asked if (day, name) not in self.publications},
        )

    def _check_known(self, customer_id: str, day: date) -> None:
        known_on = [row[0] for row in self._rows(KNOWN_ON, customer_id)]
        if not known_on:
            nearest = [row[0] for row in self._rows(NEAREST, customer_id, customer_id)]
            raise ExplainError(
                f"There is no customer '{customer_id}' in {self.database.name}. "
                f"The most similar ids: {_enumerated(nearest)}.\n"
                "Ids are those of the orders as delivered; marts.customers lists them."
            )
        if day not in known_on:
            raise ExplainError(
                f"Customer '{customer_id}' was not known on {day}. There is {_enumerated(known_on)}."
            )

    def _features(self, customer_id: str, day: date) -> Values:
        self.connection.execute(FEATURES, [customer_id, day])
        cursor = self.connection.execute("select * from explained_features")
        row = cursor.fetchone()
        if row is None:
            raise ExplainError(
                f"The features of {day} are not kept any more, so there is nothing to explain customer "
                f"'{customer_id}' by. segment_membership has the segments of that date."
            )
        return dict(zip([column[0] for column in cursor.description], row, strict=True))

    def _ways_up(self, customer_id: str, day: date) -> dict[str, WayUp]:
        ways: dict[str, WayUp] = {}
        for name, segment, *unmet, orders, is_complete in self._rows(DISTANCE, customer_id, day):
            way = ways.setdefault(name, WayUp(self._label(name, segment), orders, is_complete, []))
            way.unmet.append(Unmet(*unmet))
        return ways

    def _place(
        self, name: str, day: date, values: Values, membership: list[Row], way_up: WayUp | None
    ) -> Place:
        version, definition = self.publications[day, name]
        published = [row[2] for row in membership if row[:2] == (day, name)]
        return Place(
            segmentation=name,
            segments=[self._label(name, segment) for segment in published],
            because=self._because(name, definition, published, values),
            why_not_better=None if way_up else self._why_not_better(name, definition, published, values),
            remarks=self._remarks(name, day, version, definition, published, values),
            way_up=way_up,
        )

    def _because(self, name: str, definition: Definition, published: list[str], values: Values) -> list[str]:
        """Return a reason for each segment or, for a customer in none, why so."""
        population = definition["population"]
        if not published and population and not self._holds(population):
            return [f"looks only at {with_values(population, values)}"]
        if definition["assignment"] == "learned":
            return [self._learned(name, definition, segment, values) for segment in published] or [
                f"{definition['column']} is not known: it takes an order, and a fit"
            ]
        conditions = {segment["name"]: segment["when"] for segment in definition["segments"]}
        if not published:
            return ["no condition holds"]
        columns = dict.fromkeys(
            column for when in conditions.values() if when for column in columns_of(when, values)
        )
        return [
            with_values(conditions[segment], values)
            if conditions.get(segment)
            else f"no other condition holds: {listed(list(columns), values)}"
            for segment in published
        ]

    def _learned(self, name: str, definition: Definition, segment: str, values: Values) -> str:
        """Return the distance from the centre, and the part of the cluster's rule of thumb that holds."""
        if definition["column"] != "nearest_cluster":
            return f"{definition['column']} says so"
        nearest = f"{values['cluster_distance']:.2f} spreads from its centre, which is the nearest one; "
        entry = self.catalogue.get((name, segment))
        rule = ((entry.condition if entry else None) or "").removeprefix("learned; about: ")
        holding = [either for either in alternatives_of(rule) if either and self._holds(either)]
        if not holding:
            return f"{nearest}its rule of thumb does not hold here"
        return f"{nearest}its rule of thumb holds: {with_values(holding[0], values)}"

    def _why_not_better(
        self, name: str, definition: Definition, published: list[str], values: Values
    ) -> str | None:
        """Return the conditions of the next rank, for where segment_distance_to_next tells no way."""
        if definition["assignment"] != "first_match" or len(published) != 1:
            return None
        rank = self._rank(name, published[0])
        if rank is None:
            return None
        conditions = {segment["name"]: segment["when"] for segment in definition["segments"]}
        ranks = {segment: self._rank(name, segment) for segment in conditions}
        better = {segment: other for segment, other in ranks.items() if other is not None and other > rank}
        told = [
            f"{self._label(name, segment)}: "
            + (
                with_values(conditions[segment], values)
                if conditions[segment]
                else "no other condition holds"
            )
            for segment, other in better.items()
            if other == min(better.values())
        ]
        return "; or ".join(told) or None

    def _remarks(
        self, name: str, day: date, version: str, definition: Definition, published: list[str], values: Values
    ) -> list[str]:
        """Return what the published record and today's knowledge differ in."""
        remarks = []
        then = self._segments_by(definition, values)
        if then is None:
            remarks.append("its definition of then can't be evaluated any more: a column has gone")
        elif then != published:
            what = (
                "the clusters were fitted anew"
                if definition["assignment"] == "learned"
                else ("rows came late, were corrected, or the cut-offs changed with them")
            )
            remarks.append(
                f"was published as {self._labels(name, published)}; by what is known today it would "
                f"have been {self._labels(name, then)}: {what}"
            )
        version_now, definition_now = self.publications.get((self.dates[-1], name), (version, definition))
        now = self._segments_by(definition_now, values)
        if version_now != version and now is not None and now != published and now != then:
            remarks.append(f"the definition has changed since: today's would say {self._labels(name, now)}")
        return remarks

    def _segments_by(self, definition: Definition, values: Values) -> list[str] | None:
        """Return the segments that a definition gives, sorted; None if a column of it has gone."""
        try:
            if definition["population"] and not self._holds(definition["population"]):
                return []
            if definition["assignment"] == "learned":
                return [values[definition["column"]]] if values[definition["column"]] else []
            met = [
                segment["name"]
                for segment in definition["segments"]
                if segment["when"] and self._holds(segment["when"])
            ]
        except (duckdb.BinderException, KeyError):
            return None
        if definition["assignment"] == "first_match":
            met = met[:1]
        return sorted(met) or ([definition["otherwise"]] if definition["otherwise"] else [])

    def _holds(self, condition: str) -> bool:
        """Evaluate a condition on the customer's row, by the database itself."""
        held = null_if_undefined(condition)
        return bool(self._rows(f"select coalesce(({held}), false) from explained_features")[0][0])

    def _moves(self, name: str, until: date, known_on: list[date], membership: list[Row]) -> Iterable[Move]:
        """Yield what changed between one date of the record and the next."""
        places: dict[date, set[str]] = {day: set() for day in known_on}
        rules: dict[date, list[str]] = {}
        for day, segmentation, segment, moved_by_rule in membership:
            rules[day] = (moved_by_rule or "").split("|")
            if segmentation == name:
                places[day].add(segment)
        for before, day in zip(self.dates, self.dates[1:], strict=False):
            is_on_record = (before, name) in self.publications and (day, name) in self.publications
            if day > until or not is_on_record or day not in places or before not in places:
                continue
            left, entered = sorted(places[before] - places[day]), sorted(places[day] - places[before])
            if self.publications[day, name][1]["assignment"] != "all_matches" and left and entered:
                pairs: list[Pair] = [(left[0], entered[0])]
            else:
                pairs = [(segment, None) for segment in left] + [(None, segment) for segment in entered]
            for was, now in pairs:
                yield Move(
                    day,
                    name,
                    self._label(name, was) if was else None,
                    self._label(name, now) if now else None,
                    self._cause(name, before, day, (was, now), rules),
                )

    def _cause(self, name: str, before: date, day: date, pair: Pair, rules: dict[date, list[str]]) -> str:
        """Return what the move is put down to, by the rule of segment_moves."""
        names = [name, *(f"{name}.{segment}" for segment in pair if segment)]
        said = rules.get(day, [])
        for cause in ("refit", "told"):
            if any(f"{rule}:{cause}" in said for rule in names):
                return cause
        is_redefined = self.publications[before, name][0] != self.publications[day, name][0]
        return (
            "definition"
            if is_redefined and any(f"{rule}:definition" in said for rule in names)
            else "customer"
        )

    def _left_out(self, name: str) -> str:
        needs = {
            need
            for entry in self.catalogue.values()
            if entry.segmentation == name and entry.left_out_because
            for need in entry.left_out_because.split(", ")
        }
        return f"needs {', '.join(sorted(needs))}" if needs else "not published on this date"

    def _rank(self, name: str, segment: str) -> int | None:
        entry = self.catalogue.get((name, segment))
        return entry.rank if entry else None

    def _label(self, name: str, segment: str) -> str:
        entry = self.catalogue.get((name, segment))
        return (entry.label if entry else None) or segment

    def _labels(self, name: str, segments: list[str]) -> str:
        return ", ".join(self._label(name, segment) for segment in segments) or "in no segment"


def _enumerated(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)
