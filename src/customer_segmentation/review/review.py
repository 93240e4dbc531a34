"""A whole review: both sides compiled, the change found, its effect measured and checked."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import duckdb

from customer_segmentation import databases
from customer_segmentation.definitions import check
from customer_segmentation.errors import unknown
from customer_segmentation.inputs import Input
from customer_segmentation.review import changes, checks, downstream, effect, sides
from customer_segmentation.review.sides import Definition, ReviewError, Side

BASE = "segmentation_base"  # what the base database is attached as


@dataclass(frozen=True)
class Causes:
    """Why customers of a segmentation are elsewhere: since the date before, and because of this change.

    since: {customer, definition, refit: customers} of the record, from the date before. databases: what a
    second database tells of data and fits that differ, where one is given.
    """

    previous_date: date | None
    since: dict[str, int]
    databases: effect.DataEffect | None


@dataclass(frozen=True)
class Review:
    """All that a review says. Customers are counted, and never named."""

    base: sides.Base
    as_of_date: date
    latest_date: date
    database: Path
    changes: list[changes.Change]
    effects: list[effect.Effect]
    causes: dict[str, Causes]
    incomparable: dict[str, str]
    readers: downstream.Readers
    checks: list[checks.Check]

    @property
    def is_blocked(self) -> bool:
        """Whether the change breaks a guard."""
        return any(check.result == checks.BROKEN for check in self.checks)


def review(
    project: Path,
    source: Input,
    *,
    database: Path | None = None,
    reference: str | None = None,
    vars_file: Path | None = None,
    as_of_date: date | None = None,
    segmentations: tuple[str, ...] = (),
    base_database: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Review:
    """Compare the definitions in a project's folder with those where its branch began.

    project: folder of the dbt project, in a git repository. source: the input whose database is looked at;
    database: another one in its place. reference: branch or commit; the main branch if None. vars_file: the
    file of the input's variables. as_of_date: the date to look at, the latest if None. segmentations: only
    these. base_database: a build of the base, for changes of features or fits. say: told what is being done.

    Raises ReviewError, with what to do, if there is nothing to compare or a side can't be read.
    """
    database = database or source.database
    for path in (database, base_database):
        if path:
            databases.check(path)
    commit = sides.find_base(project, reference)
    base = sides.what_else_changed(project, commit, reference)
    with sides.open_workshop(database, project) as workshop:
        say("Reading the definitions as they stand ...")
        after = sides.compile_after(project, source, workshop)
        refuse_problems(after, check.kinds_in(database, after.relation))
        say(f"Reading the definitions of {base.reference} ...")
        before = sides.compile_before(project, commit, source, vars_file, workshop)
    _refuse_unknown(segmentations, before, after)

    found = [
        change
        for change in changes.find_changes(before, after)
        if not segmentations or change.segmentation in segmentations
    ]
    say("Counting customers ...")
    with databases.opened(database) as connection:
        if base_database:
            attached = str(base_database).replace("'", "''")
            connection.execute(f"attach '{attached}' as {BASE} (read_only)")
        dates = effect.available_dates(connection, after.relation)
        day = effect.choose_date(dates, as_of_date)
        effects, causes, incomparable = [], {}, {}
        for name in dict.fromkeys(change.segmentation for change in found if change.is_rule):
            sides_of = before.definitions.get(name), after.definitions.get(name)
            reason = _why_not(connection, name, sides_of, before, after)
            if reason:
                incomparable[name] = reason
                continue
            renamed = changes.renamed_segments(*sides_of)
            effects.append(effect.measure(connection, after.relation, day, *sides_of, renamed))
            causes[name] = _causes(connection, after, day, sides_of, base_database)
    gone = [
        change.known_as
        for change in found
        if change.what in {"renamed", "removed"} and change.segment != changes.WHOLE
    ]
    gone += [
        segment["name"]
        for measured in effects
        if measured.is_removed
        for segment in measured.definition.segments
    ]
    touched = list(dict.fromkeys(change.segmentation for change in found))
    # what goes is read by what the side before has
    readers = downstream.find_readers(before.manifest, touched, gone)
    readers = readers.joined(downstream.find_readers(after.manifest, touched, gone))
    points = checks.check(found, effects, incomparable, after.definitions.values())
    return Review(base, day, dates[0], database, found, effects, causes, incomparable, readers, points)


def _why_not(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    definitions: tuple[Definition | None, Definition | None],
    before: Side,
    after: Side,
) -> str | None:
    """Return why a change can't be measured on this database, or None if it can."""
    if name in before.problems:
        return "the definition of before can't be used, so there is nothing to compare with"
    for definition in filter(None, definitions):
        if definition.left_out:
            return f"this input lacks {definition.left_out}: compare on one that has it"
    lacking = effect.missing_columns(connection, after.relation, filter(None, definitions))
    return (
        f"the database has no {', '.join(lacking[name])}: build it with these features" if lacking else None
    )


def _causes(
    connection: duckdb.DuckDBPyConnection,
    after: Side,
    day: date,
    definitions: tuple[Definition | None, Definition | None],
    base_database: Path | None,
) -> Causes:
    definition = definitions[0]
    if definition is None:
        return Causes(None, {}, None)
    moves = after.manifest["nodes"]["model.customer_segmentation.segment_moves"]["relation_name"]
    previous, since = effect.causes_since(connection, moves, day, definition)
    databases = None
    if base_database:
        node = after.manifest["nodes"]["model.customer_segmentation.customer_features"]
        base_relation = f'{BASE}."{node["schema"]}"."{node["alias"]}"'
        databases = effect.compare_databases(
            connection, after.relation, base_relation, day, definition, after.raw_columns
        )
    return Causes(previous, since, databases)


def refuse_problems(side: Side, kinds: check.Kinds) -> None:
    """Raise a ReviewError if dbt can't use a definition, or if it can't be meant; kinds: of the columns."""
    found = dict(side.problems)
    for name, definition in side.definitions.items():
        compiled = {
            "assignment": definition.assignment,
            "population": definition.population,
            "segments": definition.segments,
        }
        found[name] = check.problems(compiled, kinds)
    listed = "\n".join(
        f"models/segments/segments_{name}.yml\n  - " + "\n  - ".join(problems)
        for name, problems in found.items()
        if problems
    )
    if listed:
        raise ReviewError(f"The definitions as they stand can't be used:\n{listed}")


def _refuse_unknown(segmentations: tuple[str, ...], before: Side, after: Side) -> None:
    known = [*after.definitions, *before.definitions]
    for name in segmentations:
        if name not in known:
            raise ReviewError(unknown("segmentation", name, dict.fromkeys(known)))


def as_data(found: Review) -> dict[str, object]:
    """Return a review as plain data, for JSON."""
    return {
        "base": {"reference": found.base.reference, "commit": found.base.commit},
        "as_of_date": str(found.as_of_date),
        "is_blocked": found.is_blocked,
        "changes": [asdict(change) for change in found.changes],
        "segmentations": [
            {
                "segmentation": measured.definition.name,
                "total": asdict(measured.total),
                "moved": asdict(measured.moved),
                "segments": [
                    {
                        "segment": name,
                        "before": asdict(measured.before(name)),
                        "after": asdict(measured.after(name)),
                        "entered": asdict(measured.entered(name)),
                        "left": asdict(measured.left(name)),
                    }
                    for name in measured.segments()
                ],
                "matrix": [
                    {"from": was, "to": now} | asdict(measures)
                    for (was, now), measures in measured.matrix.items()
                ],
                "moved_since_previous_date": found.causes[measured.definition.name].since,
                "moved_by_base_database": _as_dict(found.causes[measured.definition.name].databases),
            }
            for measured in found.effects
        ],
        "incomparable": found.incomparable,
        "other_changes": {"code": found.base.code, "variables": sorted(found.base.variables)},
        "downstream": asdict(found.readers),
        "checks": [asdict(point) for point in found.checks],
    }


def _as_dict(value: effect.DataEffect | None) -> dict[str, object] | None:
    return None if value is None else asdict(value)
