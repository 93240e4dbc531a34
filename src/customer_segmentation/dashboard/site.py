"""Writes the boards as pages that need no server and no network: one for each board, for all widths.

Pages have their numbers and tables in HTML. Charts stand in them as Vega-Lite and are drawn in the browser,
by one script beside the pages.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup

from customer_segmentation import databases
from customer_segmentation.dashboard import boards, charts
from customer_segmentation.dashboard.boards import BY_SEGMENTATION, ORDER, Answers, Board, DashboardError, Row
from customer_segmentation.dashboard.languages import Language, is_numeric
from customer_segmentation.environment import PROJECT

SITE = PROJECT / "build" / "site"
WORK = PROJECT / "build" / "dashboard"
MOST_ROWS = 100  # of the numbers of a chart
MARKDOWN = MarkdownIt("commonmark", {"html": False})
MARKS = re.compile(r"[!-/:-@\[-`{-~]")  # that mean something in Markdown, unless a backslash comes first
KINDS = ("number", "table", "matrix", "callout", "spec")
SAID = ("title", "subtitle", "label", "support")


class Cell(NamedTuple):
    """A cell of a table: its text, how it looks, and what is said of it when it is pointed at."""

    text: str
    kind: str = ""
    style: str = ""
    tip: str = ""


Part = dict[str, Any]  # what the template is given of a text, number, table ...
Table = dict[str, list[Any]]  # heads, which are cells, and rows of cells


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
    pages: dict[str, list[Part]] = {}
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
    query = """
        select distinct segmentation, ordinal_position
        from marts.segment_profiles
        left join information_schema.columns
            on table_schema = 'marts' and table_name = 'customers' and column_name = segmentation
        where segmentation <> '(all)'
        order by ordinal_position nulls last, segmentation
        """
    with databases.opened(database) as connection:
        return [segmentation for segmentation, _ in connection.execute(query).fetchall()]


def _section(
    connection: duckdb.DuckDBPyConnection, name: str, segmentation: str, currency: str, language: Language
) -> Part:
    """Return a board about one segmentation, or about all."""
    board = boards.written(name, language.code, {"currency": currency, "segmentation": segmentation})
    answers = boards.answers(connection, name, board, language)
    lines = list(_lines(board["rows"], board["charts"], answers))
    return {"key": segmentation, "title": language.named("segmentation", segmentation), "lines": lines}


def _lines(rows: list[Any], parts: dict[str, Board], answers: Answers) -> Iterator[list[Part]]:
    """Yield the parts that stand side by side, line by line, without those whose condition is not met."""
    for row in rows:
        row = {"cols": [row]} if isinstance(row, str) else row
        if "when" in row and not answers.is_so(row["when"]):
            continue
        if "text" in row:
            yield [{"kind": "text", "html": _marked(row["text"], answers)}]
        elif "rows" in row:
            yield from _lines(row["rows"], parts, answers)
        else:
            yield [part(name, parts, answers) for name in row["cols"]]


def part(name: str, parts: dict[str, Board], answers: Answers) -> Part:
    """Return a part of a board with what its query found."""
    written = parts.get(name, {})
    kind = next((kind for kind in KINDS if kind in written), "")
    said = {key: answers.text(written[key]) for key in SAID if key in written}
    made: Part = {"kind": kind, "name": name, **said}
    columns = written.get("columns", {})
    match kind:
        case "number":
            return {**made, "value": answers.text(written["number"])}
        case "callout":
            return {**made, "html": _marked(written["message"], answers), "tone": written["callout"]}
        case "table":
            return {**made, **table(columns, answers.rows(written["table"], columns), answers.language)}
        case "matrix":
            return {**made, **matrix(answers.rows(written["matrix"]))}
        case "spec":
            found = answers.rows(written["query"], columns)
            found = found if _says_something(found, columns) else []
            made |= {"all": len(found), **table(columns, found[:MOST_ROWS], answers.language)}
            if found:
                made["spec"] = charts.spec(written, answers)
                charts.check(made["spec"], answers.board, name)
            return made
    raise DashboardError(
        f"dashboard/boards/{answers.board}.yml has no chart {name} with one of {', '.join(KINDS)}."
    )


def _says_something(rows: list[Row], columns: dict[str, Board]) -> bool:
    """Whether any number of a chart is not 0: an axis would have one tick only."""
    numbers = [
        value for row in rows for name in columns if isinstance(value := row[name], int | float | Decimal)
    ]
    return not numbers or any(numbers)


def table(columns: dict[str, Board], rows: list[Row], language: Language) -> Table:
    """Return a table: numbers to the right, in the form and look of their column."""
    heads, body = [], []
    for name, column in columns.items():
        values = [row[name] for row in rows]
        is_number = any(isinstance(value, int | float | Decimal) for value in values) or (
            all(value is None for value in values)
            and bool(column.get("shade") or is_numeric(column["format"]))
        )
        is_right = column.get("align") or is_number
        side = "right" if is_right and not column.get("bar") else ""
        most = max(map(_number, values), default=0) if column.get("bar") is True else column.get("bar")
        heads.append(Cell(column["label"], side))
        body.append([_cell(value, column, side, most, language) for value in values])
    return {"heads": heads, "rows": list(zip(*body, strict=True))}


def _cell(value: object, column: Board, side: str, most: float | None, language: Language) -> Cell:
    text = language.shown(value, column["format"])
    if most:
        return Cell("", "bar", f"--share: {100 * _number(value) / most:.1f}%")
    if column.get("shade") and value is not None:  # an index: white at 100, blue up to 300, orange down to 0
        index = _number(value)
        share, tone = (min(index - 100, 200) / 200, "above") if index > 100 else (1 - index / 100, "below")
        return Cell(text, side, f"--tone: var(--{tone}); --share: {70 * share:.0f}%")
    tone = {"✓": "good", "✗": "bad"}.get(text[:1], "")
    return Cell(text, " ".join(filter(None, (side, tone, "short" if len(text) < 22 else ""))))


def matrix(rows: list[Row]) -> Table:
    """Return a heat map of one row for each cell, with the places, names and tone of it."""
    heads = {row["column_place"]: str(row["column_name"]) for row in rows}
    names = {row["row_place"]: str(row["row_name"]) for row in rows}
    cells = {(row["row_place"], row["column_place"]): row for row in rows}
    places = sorted(heads, key=_number)

    def cell(found: Row | None) -> Cell:
        if found is None:
            return Cell("")
        share = 8 + 47 * min(max(_number(found["strength"]), 0), 1)
        return Cell(str(found["cell"]), str(found["tone"]), f"--share: {share:.0f}%", str(found["tooltip"]))

    return {
        "heads": [Cell(""), *(Cell(heads[to], "long" if len(heads[to]) > 4 else "") for to in places)],
        "rows": [
            [Cell(names[row]), *(cell(cells.get((row, to))) for to in places)]
            for row in sorted(names, key=_number)
        ],
    }


def _written(pages: dict[str, list[Part]], name: str, language: Language) -> dict[str, str]:
    """Return the documents of all pages."""
    loader = jinja2.FileSystemLoader(boards.HOME)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["json"] = lambda value: Markup(charts.as_json(value))
    shared = {
        "site": name,
        "language": language.code,
        "words": boards.written("pages", language.code, {})["words"],
        "titles": {board: boards.written(board, language.code, {})["title"] for board in ORDER},
        "by_segmentation": BY_SEGMENTATION,
        "settings": charts.shared(language.code),
        "most": MOST_ROWS,
    }
    template = environment.get_template("page.html.j2")
    return {
        board: template.render(board=board, sections=sections, **shared) for board, sections in pages.items()
    }


def _marked(text: str, answers: Answers) -> Markup:
    """Return the Markdown of a board as HTML; what its values hold is no Markdown."""
    return Markup(MARKDOWN.render(answers.text(text, lambda value: MARKS.sub(r"\\\g<0>", value))))


def _number(value: Any) -> float:
    return float(value or 0)
