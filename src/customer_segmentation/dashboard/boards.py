"""Turns the boards of dashboard/boards into a project of dbt-charts: for one database, in one language.

A board is YAML as dbt-charts reads it, in English, with four marks of our own in its text and SQL:

    {currency}   the currency of the input
    {label}      the column with labels in the language: label or label_ko
    _('text')    a text in SQL: 'text' in the language
    {segmentation}   the segmentation that the page is about

What is different on narrow pages stands under `narrow`, in the places where it stands in the board. Its texts
are the values of TEXTS, wherever they stand; overview.ko.yml has the Korean for each of overview.yml.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from customer_segmentation.environment import PROJECT
from customer_segmentation.errors import ReadableError

HOME = PROJECT / "dashboard"
LANGUAGES = ("en", "ko")
MONTHS = {"en": "en-GB", "ko": "ko-KR"}  # how each writes months
TEXTS = ("title", "subtitle", "text", "label", "message", "x_label", "y_label")
IN_SQL = re.compile(r"_\('((?:[^']|'')*)'\)")
IS_QUERIED = re.compile(r"\{\{[^{}]*\}\}")  # a text that a query says: it is translated there
ORDER = ("overview", "segments", "movement", "value_and_risk", "definitions", "data_quality")
BY_SEGMENTATION = ("segments", "movement")
# what {segmentation} becomes where it is chosen on the page: dbt-charts quotes values itself
FILTERED = {"'{segmentation}'": "{{ segmentation }}", "{segmentation}": "{{ segmentation }}"}
PUBLISHED = "select distinct segmentation from segment_profiles where segmentation <> '(all)' order by 1"
WIDE, NARROW = 1232, 366  # of 1280 and 390 pixels, without the margins of the page


class DashboardError(ReadableError):
    """A board can't be made; the message says which and why."""


def read(name: str) -> dict:
    """Return a board as it is written."""
    return yaml.safe_load((HOME / "boards" / f"{name}.yml").read_text(encoding="utf-8"))


def strings(board: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield every string of a board, each with the key at which it stands."""
    if isinstance(board, dict):
        for name, value in board.items():
            yield from strings(value, name)
    elif isinstance(board, list):
        for value in board:
            yield from strings(value, key)
    elif isinstance(board, str):
        yield key, board


def texts(board: dict) -> Iterator[str]:
    """Yield every text of a board that is shown to people."""
    for key, text in strings(board):
        if key in TEXTS and not IS_QUERIED.fullmatch(text.strip()):
            yield text.strip()
        yield from IN_SQL.findall(text)


def translations(language: str, name: str) -> dict[str, str]:
    """Return {English text: text in the language} of a board, or of "pages"; of English nothing."""
    if language == "en":
        return {}
    return yaml.safe_load((HOME / "boards" / f"{name}.{language}.yml").read_text(encoding="utf-8"))


def write(
    folder: Path,
    database: Path,
    currency: str,
    language: str,
    segmentations: list[str],
    width: int,
    served: bool = False,
) -> list[Path]:
    """Write a project of dbt-charts into a folder and return the paths of its boards.

    Boards about one segmentation are written once for each; served, once with a filter. Raises
    DashboardError if a text has no translation.
    """
    charts = folder / "charts"
    shutil.rmtree(folder, ignore_errors=True)
    charts.mkdir(parents=True)
    if (HOME / "templates").is_dir():
        shutil.copytree(HOME / "templates", folder / "templates")
    source = {"marts": {"type": "duckdb", "path": str(database), "schema": "marts"}}
    _dump(folder / "dbt_charts.yml", {"sources": source})
    style = yaml.safe_load((HOME / "style.yml").read_text(encoding="utf-8"))
    style["regional"]["locale"]["time"] = MONTHS[language]
    _dump(charts / "meta.yml", {"source": "marts", **style})
    paths = []
    for name in ORDER:
        written, words = read(name), translations(language, name)
        is_filtered = served and name in BY_SEGMENTATION
        for segmentation in segmentations if name in BY_SEGMENTATION and not served else [""]:
            marks = {
                "{currency}": currency,
                "{label}": "label" if language == "en" else f"label_{language}",
                **(FILTERED if is_filtered else {"{segmentation}": segmentation}),
            }
            board = _filled(written, marks, _translator(words, name) if words else None)
            narrow = board.pop("narrow", {})
            if is_filtered:
                board = _with_filter(board, language, segmentations[0])
            board = {"width": width, **board}
            if width < WIDE:
                board = _merged(board, narrow)
                board["rows"] = _stacked(board["rows"], board["charts"])
            paths.append(charts / f"{page(name, segmentation, segmentations)}.yml")
            _dump(paths[-1], board)
    return paths


def page(name: str, segmentation: str, segmentations: list[str]) -> str:
    """Return the name of a page: that of its board, with the segmentation if it is not the first one."""
    return f"{name}-{segmentation}" if segmentation and segmentation != segmentations[0] else name


def _translator(words: dict[str, str], board: str) -> Callable[[str], str]:
    def translated(text: str) -> str:
        if text not in words:
            raise DashboardError(f"dashboard/boards/{board}.yml has a text without a translation: {text}")
        return words[text]

    return translated


def _filled(value: object, marks: dict[str, str], translated: Callable | None, key: str = "") -> object:
    """Return a board with its marks filled in, and its texts in the language."""
    if isinstance(value, dict):
        return {name: _filled(item, marks, translated, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, marks, translated, key) for item in value]
    if not isinstance(value, str):
        return value
    if translated and key in TEXTS and value.strip() and not IS_QUERIED.fullmatch(value.strip()):
        value = translated(value.strip())

    def quoted(found: re.Match) -> str:
        text = found[1].replace("''", "'")
        return "'" + (translated(text) if translated else text).replace("'", "''") + "'"

    value = IN_SQL.sub(quoted, value)
    for mark, text in marks.items():
        value = value.replace(mark, text)
    return value


def _merged(value: object, over: object) -> object:
    """Return a value with what another says instead, key by key."""
    if not (isinstance(value, dict) and isinstance(over, dict)):
        return over
    return value | {name: _merged(value.get(name), item) for name, item in over.items()}


def _with_filter(board: dict, language: str, default: str) -> dict:
    """Return a board with a filter by segmentation."""
    label = translations(language, "pages").get("Segmentation", "Segmentation")
    options = {"query": "segmentations", "column": "segmentation"}
    chosen = {"input": "select", "label": label, "default": default, "required": True, "options": options}
    queries = {**board.get("queries", {}), "segmentations": {"sql": PUBLISHED}}
    return {**board, "variables": {"segmentation": chosen, **board.get("variables", {})}, "queries": queries}


def _stacked(rows: list, charts: dict) -> list:
    """Return rows for a narrow page: one below the other what stood side by side, headline numbers by two."""
    stacked = []
    for row in rows:
        if isinstance(row, dict) and "cols" in row:
            cells = row["cols"]
            row = {key: value for key, value in row.items() if key != "cols"}
            if all(isinstance(cell, str) and charts[cell]["type"] == "kpi" for cell in cells):
                row["rows"] = [{"cols": cells[start : start + 2]} for start in range(0, len(cells), 2)]
            else:
                row["rows"] = _stacked(cells, charts)
        elif isinstance(row, dict) and "rows" in row:
            row = row | {"rows": _stacked(row["rows"], charts)}
        stacked.append(row)
    return stacked


def _dump(path: Path, content: dict) -> None:
    path.write_text(
        yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=1000), encoding="utf-8"
    )
