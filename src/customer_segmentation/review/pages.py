"""A review written down: tables on a terminal, Markdown for a pull request. Both say the same."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table as RichTable

from customer_segmentation.report import percent
from customer_segmentation.review import checks
from customer_segmentation.review.effect import NOWHERE, Effect, Measures
from customer_segmentation.review.review import Causes, Review
from customer_segmentation.review.sides import Data

MOST_FILES = 12
MARKS = {checks.PASSED: "✓", checks.NOTED: "!", checks.BROKEN: "✗"}


@dataclass(frozen=True)
class Heading:
    """A heading of a level, 1 or 2."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows under headings; columns from `numbers` on are aligned right. folded: hidden until opened."""

    headings: list[str]
    rows: list[list[str]]
    numbers: int
    title: str = ""
    folded: bool = False


Block = Heading | Text | Table


def write(found: Review, currency: str) -> Iterator[Block]:
    """Write a review as a sequence of blocks."""
    yield Heading(f"Segments: what changes against {found.base.reference}", 1)
    if not found.changes:
        yield Text("No definition of a segment changed.")
        yield from _other_changes(found)
        return
    yield Text(_summary(found))
    yield from _what_changed(found)
    for measured in found.effects:
        yield from _effect(measured, found, currency)
    for name, reason in found.incomparable.items():
        yield Heading(name)
        yield Text(f"Not measured: {reason}.")
    yield from _downstream(found)
    yield from _other_changes(found)
    yield from _check_list(found)


def _summary(found: Review) -> str:
    said = [f"As of {found.as_of_date}, on {found.database.name}."]
    if not found.effects and not found.incomparable:
        said.append("No customer moves: only what is said of segments changed.")
    for measured in found.effects:
        said.append(f"{measured.definition.name}: {_moved(measured)}.")
    if found.as_of_date != found.latest_date:
        said.append("What was published on this date stays as it is, until history is restated.")
    return " ".join(said)


def _moved(measured: Effect) -> str:
    moved, total = measured.moved, measured.total
    if measured.is_added:
        return f"new, with {moved.customers:,} customers"
    if measured.is_removed:
        return f"goes, with the segments of {moved.customers:,} customers"
    if not moved.customers:
        return "no customer moves"
    customers, revenue, expected, _ = moved.shares(total)
    at_stake = f", {percent(expected)} of the expected revenue" if expected is not None else ""
    reach = f"; {moved.reachable:,} of them can be reached" if total.reachable else ""
    return (
        f"{moved.customers:,} of {total.customers:,} customers move ({percent(customers)}), with "
        f"{percent(revenue)} of the revenue{at_stake}{reach}"
    )


def _what_changed(found: Review) -> Iterator[Block]:
    yield Heading("Definitions")
    rows = [
        [change.segmentation, change.segment, change.what, change.before or "-", change.after or "-"]
        for change in found.changes
    ]
    yield Table(["Segmentation", "Segment", "What", "Before", "After"], rows, numbers=5)


def _effect(measured: Effect, found: Review, currency: str) -> Iterator[Block]:
    definition = measured.definition
    yield Heading(f"{definition.name}: {_moved(measured)}")
    yield _sizes(measured, currency)
    if measured.is_added or measured.is_removed:
        return
    if measured.moved.customers:
        yield _stakes(measured)
        yield from _matrix(measured)
    yield Text(_why(measured, found.causes[definition.name]))


def _sizes(measured: Effect, currency: str) -> Table:
    rows = []
    has_expected = bool(measured.total.expected_revenue_365d)
    for name in _listed(measured):
        before, after = measured.before(name), measured.after(name)
        row = [
            name,
            _from_to(f"{before.customers:,}", f"{after.customers:,}"),
            _change(before.customers, after.customers),
            _share(after.customers, measured.total.customers),
            _from_to(_short(before.revenue_12m), _short(after.revenue_12m)),
        ]
        if has_expected:
            row.append(_from_to(_short(before.expected_revenue_365d), _short(after.expected_revenue_365d)))
        if measured.total.reachable:
            row.append(_from_to(f"{before.reachable:,}", f"{after.reachable:,}"))
        rows.append(row)
    headings = ["Segment", "Customers", "", "Share", f"Revenue 12m, {currency}"]
    headings += ["Expected 365d"] if has_expected else []
    headings += ["Reachable"] if measured.total.reachable else []
    return Table(headings, rows, numbers=1, title="Before → after")


def _from_to(before: str, after: str) -> str:
    return after if before == after else f"{before} → {after}"


def _stakes(measured: Effect) -> Table:
    """Who enters and leaves, with the shares of the whole segmentation that go with them."""
    rows = []
    for name in _listed(measured):
        for word, measures in (("enter", measured.entered(name)), ("leave", measured.left(name))):
            if measures.customers:
                _, revenue, expected, reachable = measures.shares(measured.total)
                rows.append(
                    [
                        name,
                        word,
                        f"{measures.customers:,}",
                        _share(measures.customers, measured.total.customers),
                        percent(revenue),
                        percent(expected),
                        f"{measures.reachable:,}",
                        percent(reachable),
                    ]
                )
    headings = ["Segment", "", "Customers", "share", "of revenue", "of expected", "Reachable", "of reachable"]
    return Table(headings, rows, numbers=2, title="Who enters and leaves")


def _matrix(measured: Effect) -> Iterator[Table]:
    if measured.definition.is_overlapping:
        return
    names = _listed(measured)
    if NOWHERE in {name for pair in measured.matrix for name in pair}:
        names = [*names, NOWHERE]
    rows = []
    for number, was in enumerate(names, start=1):
        cells = [measured.matrix.get((was, now), Measures()).customers for now in names]
        rows.append([f"{number} {was}", *(f"{cell:,}" if cell else "·" for cell in cells)])
    numbers = [str(number) for number in range(1, len(names) + 1)]
    yield Table(["", *numbers], rows, numbers=1, title="From (down) to (across)", folded=len(names) > 6)


def _listed(measured: Effect) -> list[str]:
    return [
        name
        for name in measured.segments()
        if measured.before(name).customers or measured.after(name).customers
    ] or measured.segments()


def _why(measured: Effect, causes: Causes) -> str:
    """Keep apart what the rule moves, what customers do, and what fitting again moves."""
    said = [f"Because of this change, on the same data and fits: {measured.moved.customers:,} customers."]
    unit = "in and out of segments" if measured.definition.is_overlapping else "customers"
    if causes.previous_date:
        since = causes.since
        said.append(
            f"For comparison, moved since {causes.previous_date} as published: "
            f"{since.get('customer', 0):,} {unit} by what customers did, "
            f"{since.get('refit', 0):,} by fitting again, "
            f"{since.get('definition', 0):,} by changed definitions."
        )
    if causes.databases:
        said.append(
            f"Against the database of the base, under the definition of before: {causes.databases.data:,} "
            f"customers by other data or features, {causes.databases.refit:,} by other fits."
        )
    return " ".join(said)


def _downstream(found: Review) -> Iterator[Block]:
    yield Heading("Who reads it")
    audiences = []
    for measured in found.effects:
        for segment in _all_segments(measured):
            treatment = segment.get("treatment") or {}
            entered, left = measured.entered(segment["name"]), measured.left(segment["name"])
            if treatment and (entered.customers or left.customers):
                audiences.append(
                    [
                        f"{measured.definition.name}.{segment['name']}",
                        " ".join(filter(None, (treatment.get("channel"), treatment.get("offer")))),
                        f"{entered.customers:+,}",
                        f"{-left.customers:+,}",
                        f"{entered.reachable:+,}",
                        f"{-left.reachable:+,}",
                    ]
                )
    if audiences:
        headings = ["Audience", "Gets", "In", "Out", "Reachable in", "Reachable out"]
        yield Table(headings, audiences, numbers=2, title="Audiences")
    readers = found.readers
    said = [f"Tables: {', '.join(readers.tables) or 'none'}."]
    said.append(f"Dashboards (exposures): {', '.join(readers.exposures) or 'none declared'}.")
    for name, files in readers.by_name.items():
        said.append(f"'{name}' is named in {', '.join(files)}.")
    yield Text(" ".join(said))


def _all_segments(measured: Effect) -> list[Data]:
    """Return the segments after the change, and those that go."""
    segments = list(measured.new.segments) if measured.new else []
    names = {segment["name"] for segment in segments}
    return segments + [
        segment for segment in (measured.old.segments if measured.old else []) if segment["name"] not in names
    ]


def _other_changes(found: Review) -> Iterator[Block]:
    said = []
    if found.base.variables:
        changed = ", ".join(f"{name} ({was} → {now})" for name, (was, now) in found.base.variables.items())
        said.append(f"Variables changed as well: {changed}.")
    if found.base.code:
        files = ", ".join(found.base.code[:MOST_FILES])
        more = len(found.base.code) - MOST_FILES
        files += f" and {more} more" if more > 0 else ""
        said.append(f"Code of features, fits or scores changed as well: {files}.")
    if said:
        yield Heading("Beside definitions")
        yield Text(
            " ".join(said)
            + " What that changes shows in a build alone: build both, and name that of the base "
            "with --base-database."
        )


def _check_list(found: Review) -> Iterator[Block]:
    yield Heading("Check list")
    order = [checks.BROKEN, checks.NOTED, checks.PASSED]
    points = sorted(found.checks, key=lambda point: order.index(point.result))
    rows = [[MARKS[point.result], point.segmentation, point.name, point.says] for point in points]
    yield Table(["", "Segmentation", "Check", "Says"], rows, numbers=4)
    if found.is_blocked:
        yield Text(
            "✗ breaks a limit of the definitions. If it is meant, change the limit in the same pull request."
        )


# numbers as people read them


def _share(part: float, whole: float) -> str:
    return percent(part / whole if whole else None)


def _change(before: float, after: float) -> str:
    if before == after:
        return "="
    return f"{100 * (after - before) / before:+.0f} %" if before else "new"


def _short(number: float) -> str:
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if abs(number) >= size:
            return f"{number / size:,.1f}{unit}"
    return f"{number:,.0f}"


# the two ways to write blocks


def print_blocks(blocks: Iterator[Block], console: Console) -> None:
    """Print blocks on a terminal."""
    for block in blocks:
        if isinstance(block, Heading):
            console.print(f"\n{block.text}", style="bold")
        elif isinstance(block, Text):
            console.print(block.text)
        elif block.rows:
            table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, title=block.title or None)
            table.title_justify = "left"
            for number, heading in enumerate(block.headings):
                is_number = number >= block.numbers
                table.add_column(
                    heading,
                    justify="right" if is_number else "left",
                    no_wrap=is_number or number == 0,
                    overflow="fold",
                )
            for row in block.rows:
                table.add_row(*row)
            console.print(table)


def markdown(blocks: Iterator[Block]) -> str:
    """Return blocks as Markdown; large tables are folded away."""
    parts = []
    for block in blocks:
        if isinstance(block, Heading):
            parts.append(f"{'#' * (block.level + 1)} {block.text}")
        elif isinstance(block, Text):
            parts.append(_escape(block.text))
        elif block.rows:
            parts.append(_markdown_table(block))
    return "\n\n".join(parts) + "\n"


def _markdown_table(table: Table) -> str:
    rules = ["---:" if number >= table.numbers else "---" for number in range(len(table.headings))]
    lines = [table.headings, rules, *table.rows]
    text = "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)
    if table.folded:
        return f"<details><summary>{table.title}</summary>\n\n{text}\n\n</details>"
    return f"**{table.title}**\n\n{text}" if table.title else text


def _cell(text: str) -> str:
    return _escape(text).replace("|", "\\|")


def _escape(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;").replace("*", "\\*").replace("_", "\\_")
