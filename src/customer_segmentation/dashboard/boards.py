"""Reads the boards of dashboard/boards, puts them into a language, and asks their questions of a database.

A board is YAML, written in English: docs/dashboard.md explains it. Marks in it are filled in:

    {currency}, {label}, {segmentation}   the currency of the input, the column with labels in the language,
                                          and the segmentation that a section is about
    {money}, {months}                     the expressions of Vega in style.yml, by language
    _('text')                             a text in SQL, in the language
    {query.column}, {query.column:form}   in texts: a value of the first row of a query, in a form

Its texts are the values of TEXTS, wherever they stand; overview.ko.yml has the Korean for each of them.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import yaml

from customer_segmentation.dashboard.languages import FORMS, Language, is_form, unbroken
from customer_segmentation.environment import PROJECT
from customer_segmentation.errors import ReadableError, unknown

HOME = PROJECT / "dashboard"
LANGUAGES = ("en", "ko")
TEXTS = (
    "title",
    "subtitle",
    "text",
    "label",
    "message",
    "support",
    "datum",
    "domain",
    "columns",
    "names",
    "words",
)
KEYS = ("title", "rows", "queries", "charts")  # of a board
MAPPED = ("columns", "names", "words")  # texts by the key of what they are about
IN_SQL = re.compile(r"_\('((?:[^']|'')*)'\)")
VALUE = re.compile(r"\{(\w+)\.(\w+)(?::(\w+))?\}")
ORDER = ("overview", "segments", "movement", "value_and_risk", "definitions", "data_quality")
BY_SEGMENTATION = ("segments", "movement")

Board = dict[str, Any]
Row = dict[str, object]


class DashboardError(ReadableError):
    """A board can't be made; the message says which and why."""


def read(name: str) -> Board:
    """Return a board as it is written; raises DashboardError if it lacks a part, or has one of no board."""
    board: Board = _loaded(HOME / "boards" / f"{name}.yml")
    if name != "pages":
        _check(board, name)
    return board


def translations(language: str, name: str) -> dict[str, str]:
    """Return {English text: text in the language} of a board, or of "pages"; of English nothing."""
    return {} if language == "en" else _loaded(HOME / "boards" / f"{name}.{language}.yml")


def texts(board: Board) -> list[str]:
    """Return every text of a board that is shown to people."""
    found: list[str] = []

    def kept(text: str) -> str:
        found.append(text)
        return text

    _filled(board, {}, kept)
    return found


def written(name: str, language: str, marks: Mapping[str, str]) -> Board:
    """Return a board with its texts in a language and its marks filled in.

    Raises DashboardError if a text has no translation.
    """
    words = translations(language, name)

    def translated(text: str) -> str:
        if language != "en" and text not in words:
            raise DashboardError(
                f"dashboard/boards/{name}.yml has a text without a translation: {text}\n"
                f"  Add it to dashboard/boards/{name}.{language}.yml."
            )
        return words.get(text, text)

    marks = {**_loaded(HOME / "style.yml")["expressions"][language], **marks}
    marks["label"] = "label" if language == "en" else f"label_{language}"
    board: Board = _filled(read(name), marks, translated)
    for chart in board.get("charts", {}).values():
        chart["columns"] = {
            column: {
                "format": chart.get("format", ""),
                **({"label": said} if isinstance(said, str) else said),
            }
            for column, said in chart.get("columns", {}).items()
        }
    _check_forms(board, name)
    return board


def language_of(code: str) -> Language:
    """Return a language with the names that it has for keys."""
    return Language(code, written("pages", code, {})["names"])


def answers(connection: duckdb.DuckDBPyConnection, name: str, board: Board, language: Language) -> "Answers":
    """Run the queries of a board, each of which can read those before it, and return their answers.

    Raises DashboardError, with the name of the query, if one can't be run.
    """
    found: dict[str, Found] = {}
    for query, sql in board["queries"].items():
        try:
            connection.execute(f"create or replace temporary table {query} as {sql}")
        except duckdb.InterruptException:
            raise  # databases.opened says it
        except duckdb.Error as error:
            raise DashboardError(
                f"dashboard/boards/{name}.yml: the query {query} can't be run. Build the database whole, "
                f"or mend the query.\n{error}"
            ) from error
        cursor = connection.execute(f"select * from temp.{query}")
        columns = [column[0] for column in cursor.description or []]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        found[query] = Found(columns, rows)
    for query in board["queries"]:
        connection.execute(f"drop table temp.{query}")
    return Answers(name, found, language)


def prepare(connection: duckdb.DuckDBPyConnection, language: Language) -> None:
    """Give the SQL of boards functions that name keys and write dates and amounts in a language."""
    connection.create_function("named", language.named, ["VARCHAR", "VARCHAR"], "VARCHAR")
    connection.create_function("written_day", language.day, ["DATE"], "VARCHAR")
    connection.create_function("written_month", language.month, ["DATE"], "VARCHAR")
    connection.create_function("written_money", language.money, ["DOUBLE"], "VARCHAR")


class Found(NamedTuple):
    """What a query found."""

    columns: list[str]
    rows: list[Row]


class Answers:
    """What the queries of a board found: rows, and texts that have values of them."""

    def __init__(self, board: str, found: Mapping[str, Found], language: Language):
        """Keep what was found by the names of queries."""
        self.board, self._found, self.language = board, found, language

    def rows(self, query: str, columns: Iterable[str] = ()) -> list[Row]:
        """Return the rows of a query; raises DashboardError if it is not there or lacks a column."""
        if query not in self._found:
            raise DashboardError(f"dashboard/boards/{self.board}.yml has no query {query}.")
        known, rows = self._found[query]
        if lacking := [column for column in columns if column not in known]:
            raise DashboardError(
                f"dashboard/boards/{self.board}.yml: the query {query} has no column {', '.join(lacking)}."
            )
        return rows

    def columns(self, query: str) -> list[str]:
        """Return the columns of a query."""
        self.rows(query)
        return self._found[query].columns

    def value(self, query: str, column: str) -> object:
        """Return a value of the first row of a query, None if it has no row."""
        rows = self.rows(query, [column])
        return rows[0][column] if rows else None

    def text(self, text: str, as_written: Callable[[str], str] = str) -> str:
        """Return a text with its values, each as a function of what it says if one is given."""

        def shown(found: re.Match[str]) -> str:
            return as_written(self.language.shown(self.value(found[1], found[2]), found[3] or ""))

        return unbroken(VALUE.sub(shown, text))

    def is_so(self, condition: str) -> bool:
        """Return whether a condition, `query.column` or `not query.column`, is true."""
        query, _, column = condition.removeprefix("not ").partition(".")
        return bool(self.value(query, column)) != condition.startswith("not ")


def _loaded(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise DashboardError(f"dashboard/{path.relative_to(HOME)} can't be read: {error}") from error


def _check(board: object, name: str) -> None:
    keys = list(map(str, board)) if isinstance(board, dict) else []
    said = [unknown("part of a board", key, KEYS) for key in keys if key not in KEYS]
    if lacking := [key for key in KEYS if key not in keys]:
        said.append(f"It has no {', '.join(lacking)}, but {', '.join(keys) or 'nothing'}.")
    if said:
        raise DashboardError(f"dashboard/boards/{name}.yml: {' '.join(said)}")


def _check_forms(board: Board, name: str) -> None:
    columns = [column for chart in board.get("charts", {}).values() for column in chart["columns"].values()]
    marks = VALUE.findall(str({key: part for key, part in board.items() if key != "queries"}))
    for form in (*(column["format"] for column in columns), *(form for _, _, form in marks)):
        if not is_form(form):
            raise DashboardError(f"dashboard/boards/{name}.yml: {unknown('format', form, FORMS)}")


def _is_mapped(key: str, value: object) -> bool:
    """Whether what stands below a key are texts by the key of what they are about; of names, by kind."""
    return key in MAPPED and (isinstance(value, str) or key == "names")


def _is_text(key: str, text: str) -> bool:
    return key in TEXTS and bool(VALUE.sub("", text).strip())


def _filled(value: Any, marks: Mapping[str, str], translated: Callable[[str], str], key: str = "") -> Any:
    """Return a board with its marks filled in, and its texts in the language."""
    if isinstance(value, dict):
        return {
            name: _filled(item, marks, translated, key if _is_mapped(key, item) else name)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_filled(item, marks, translated, key) for item in value]
    if not isinstance(value, str):
        return value
    if _is_text(key, value):
        value = translated(value.strip())

    def quoted(found: re.Match[str]) -> str:
        return "'" + translated(found[1].replace("''", "'")).replace("'", "''") + "'"

    value = IN_SQL.sub(quoted, value)
    for mark, text in marks.items():
        value = value.replace(f"{{{mark}}}", text)
    return value
