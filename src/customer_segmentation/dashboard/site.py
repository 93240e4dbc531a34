"""Writes the boards as pages that need no server and no network: one for each board, for all widths.

Pages have their numbers and tables in HTML. Charts stand in them as Vega-Lite and are drawn in the browser,
by one script beside the pages.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup

from customer_segmentation import databases
from customer_segmentation.dashboard import boards, charts
from customer_segmentation.dashboard.boards import BY_SEGMENTATION, ORDER, Answers, Board, DashboardError
from customer_segmentation.dashboard.languages import Language
from customer_segmentation.environment import PROJECT

SITE = PROJECT / "build" / "site"
WORK = PROJECT / "build" / "dashboard"
MOST_ROWS = 100  # of the numbers of a chart
MARKDOWN = MarkdownIt("commonmark", {"html": False})
KINDS = ("number", "table", "matrix", "callout", "spec")


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text, how it looks, and what is said of it when it is pointed at."""

    text: str
    kind: str = ""
    style: str = ""
    tip: str = ""


@dataclass(frozen=True)
class Part:
    """A part of a page, ready to be written."""

    kind: str
    name: str = ""
    title: str = ""
    subtitle: str = ""
    html: Markup = field(default_factory=Markup)
    value: str = ""
    heads: list[Cell] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)
    cut: str = ""
    tone: str = ""
    spec: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """A board about one segmentation, or about all."""

    key: str
    title: str
    lines: list[list[Part]]


def _say_nothing(line: str) -> None:
    """Say nothing."""


def render(
    database: Path,
    name: str,
    currency: str,
    language: str,
    folder: Path | None = None,
    say: Callable[[str], None] = _say_nothing,
) -> list[Path]:
    """Write the pages of a database into a folder, or into build/site/; return them, index.html first.

    A site that is there is replaced when all pages are made. Raises DatabaseError if the database can't be
    read, DashboardError if a board can't be drawn.
    """
    spoken = boards.language_of(language)
    script = charts.bundle(WORK)
    pages: dict[str, list[Section]] = {}
    segmentations = published(database)
    with databases.opened(database) as connection:
        connection.execute("use marts")
        boards.prepare(connection, spoken)
        for board in ORDER:
            say(f"{len(pages) + 1:>3} of {len(ORDER)}  {board}")
            about = segmentations if board in BY_SEGMENTATION else [""]
            pages[board] = [_section(connection, board, one, currency, spoken) for one in about]
    written = _written(pages, name, spoken)
    site = folder or SITE
    aside = site.with_name(f"{site.name}.aside")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    (aside / "vega.js").write_text(script, encoding="utf-8")
    for asset in ("page.css", "page.js"):
        shutil.copyfile(boards.HOME / asset, aside / asset)
    for page, document in {"index": written[ORDER[0]], **written}.items():
        (aside / f"{page}.html").write_text(document, encoding="utf-8")
    shutil.rmtree(site, ignore_errors=True)
    aside.rename(site)
    return [site / f"{page}.html" for page in ("index", *written)]


def published(database: Path) -> list[str]:
    """Return the segmentations of a database: those with a column of their own in `customers` first."""
    with databases.opened(database) as connection:
        rows = connection.execute(
            """
            with

            profiles as (
                select distinct segmentation
                from marts.segment_profiles
                where segmentation <> '(all)'
            )

            select profiles.segmentation
            from profiles
            left join information_schema.columns as columns
                on columns.table_schema = 'marts'
                and columns.table_name = 'customers'
                and columns.column_name = profiles.segmentation
            order by columns.ordinal_position nulls last, profiles.segmentation
            """
        ).fetchall()
    return [segmentation for (segmentation,) in rows]


def _section(
    connection: duckdb.DuckDBPyConnection, name: str, segmentation: str, currency: str, language: Language
) -> Section:
    board = boards.written(name, language.code, {"currency": currency, "segmentation": segmentation})
    answers = boards.answers(connection, name, board, language)
    title = language.named(segmentation) if segmentation else ""
    return Section(segmentation, title, list(_lines(board["rows"], board["charts"], answers)))


def _lines(rows: list[Any], parts: dict[str, Board], answers: Answers) -> Iterator[list[Part]]:
    """Yield the parts that stand side by side, line by line, without those whose condition is not met."""
    for row in rows:
        row = {"cols": [row]} if isinstance(row, str) else row
        if "when" in row and not answers.is_so(row["when"]):
            continue
        if "text" in row:
            yield [Part("text", html=_marked(answers.text(row["text"])))]
        elif "rows" in row:
            yield from _lines(row["rows"], parts, answers)
        else:
            yield [part(name, parts, answers) for name in row["cols"]]


def part(name: str, parts: dict[str, Board], answers: Answers) -> Part:
    """Return a part of a board with what its query found."""
    if name not in parts:
        raise DashboardError(f"dashboard/boards/{answers.board}.yml has no chart {name}.")
    written = parts[name]
    kind = next((kind for kind in KINDS if kind in written), "")
    said = {
        key: answers.text(written.get(other, written.get(key, "")))
        for key, other in (("title", "label"), ("subtitle", "support"))
    }
    match kind:
        case "number":
            return Part(kind, name, **said, value=answers.text(written["number"]))
        case "callout":
            html = _marked(answers.text(written["message"]))
            return Part(kind, name, **said, html=html, tone=written["callout"])
        case "table":
            heads, rows = table(
                written["columns"], answers.rows(written["table"], written["columns"]), answers.language
            )
            return Part(kind, name, **said, heads=heads, rows=rows)
        case "matrix":
            heads, rows = matrix(answers.rows(written["matrix"]))
            return Part(kind, name, **said, heads=heads, rows=rows)
        case "spec":
            found = answers.rows(written["query"], written["columns"])
            heads, rows = table(written["columns"], found[:MOST_ROWS], answers.language)
            drawn = charts.spec(written, answers) if found else {}
            if found:
                charts.check(drawn, answers.board, name)
            cut = f"{MOST_ROWS} / {len(found):,}" if len(found) > MOST_ROWS else ""
            return Part("chart", name, **said, heads=heads, rows=rows, cut=cut, spec=drawn)
    raise DashboardError(f"dashboard/boards/{answers.board}.yml: {name} is none of {', '.join(KINDS)}.")


def table(
    columns: dict[str, Board], rows: list[boards.Row], language: Language
) -> tuple[list[Cell], list[list[Cell]]]:
    """Return heads and rows of a table: numbers to the right, in the form and look of their column."""
    most = {
        name: column["bar"] if column["bar"] is not True else max(map(_number, (row[name] for row in rows)))
        for name, column in columns.items()
        if rows and column.get("bar")
    }

    def cell(name: str, value: object) -> Cell:
        column, text = columns[name], language.shown(value, columns[name].get("format", ""))
        if name in most:
            return Cell("", "bar", f"--share: {100 * _number(value) / (most[name] or 1):.1f}%")
        if column.get("shade") and value is not None:
            return Cell(text, "right", _shade(_number(value)))
        tone = {"✓": "good", "✗": "bad"}.get(text[:1], "")
        short = "short" if len(text) < 22 else ""
        return Cell(text, " ".join(filter(None, (side[name], tone, short))))

    side = {
        name: "right" if column.get("align") or any(_is_number(row[name]) for row in rows) else ""
        for name, column in columns.items()
    }
    heads = [
        Cell(column["label"], side[name] if name not in most else "") for name, column in columns.items()
    ]
    return heads, [[cell(name, row[name]) for name in columns] for row in rows]


def matrix(rows: list[boards.Row]) -> tuple[list[Cell], list[list[Cell]]]:
    """Return heads and rows of a heat map: one row for each cell, with the places, names and tone of it."""
    heads = {row["column_place"]: str(row["column_name"]) for row in rows}
    places = sorted(heads, key=_number)
    names = {row["row_place"]: str(row["row_name"]) for row in rows}
    cells = {(row["row_place"], row["column_place"]): row for row in rows}

    def cell(row: object, column: object) -> Cell:
        found = cells.get((row, column))
        if found is None:
            return Cell("")
        share = 8 + 47 * min(max(_number(found["strength"]), 0), 1)
        return Cell(str(found["cell"]), str(found["tone"]), f"--share: {share:.0f}%", str(found["tooltip"]))

    body = [
        [Cell(names[row]), *(cell(row, column) for column in places)] for row in sorted(names, key=_number)
    ]
    return [
        Cell(""),
        *(Cell(heads[place], "long" if len(heads[place]) > 4 else "") for place in places),
    ], body


def _written(pages: dict[str, list[Section]], name: str, language: Language) -> dict[str, str]:
    """Return the documents of all pages."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(boards.HOME), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    words = boards.written("pages", language.code, {})["words"]
    titles = {board: boards.written(board, language.code, {})["title"] for board in ORDER}
    shared = {
        "site": name,
        "language": language.code,
        "words": words,
        "titles": titles,
        "by_segmentation": BY_SEGMENTATION,
        "settings": Markup(charts.as_json(charts.shared(language.code))),
        "as_json": lambda value: Markup(charts.as_json(value)),
    }
    template = environment.get_template("page.html.j2")
    return {
        board: template.render(board=board, sections=sections, **shared) for board, sections in pages.items()
    }


def _marked(text: str) -> Markup:
    return Markup(MARKDOWN.render(text))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal)


def _number(value: Any) -> float:
    return float(value or 0)


def _shade(index: float) -> str:
    """Return the ground of an index: white at 100, blue above it up to 300, orange below it."""
    share = min((index - 100) / 200, 1) if index > 100 else (100 - index) / 100
    return f"--tone: var(--{'above' if index > 100 else 'below'}); --share: {70 * share:.0f}%"
