"""Charts of boards: Vega-Lite specs with their rows, checked and drawn by vl-convert."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from customer_segmentation.dashboard import boards
from customer_segmentation.dashboard.boards import Answers, Board, DashboardError, Row

BREAK = re.compile(r".{11,}? ")  # where a label of a row is broken on a narrow page: axisYBand in style.yml
LINE = 15  # pixels of a line of a label
LOCALES = {"en": ("en-US", "en-GB"), "ko": ("ko-KR", "ko-KR")}  # of numbers, and of months


def converter() -> ModuleType:
    """Return vl-convert; raises DashboardError if it is not installed."""
    try:
        import vl_convert
    except ImportError as error:
        raise DashboardError(
            "The boards are drawn by vl-convert-python, which is not installed.\n"
            "  Install it: .venv/bin/pip install --no-deps -r requirements-dashboard.lock\n"
            "  or let make do it: make dashboard"
        ) from error
    return vl_convert


def shared(language: str) -> dict[str, Any]:
    """Return what all charts are drawn with: the configuration, and how numbers and months are written."""
    numbers, months = LOCALES[language]
    return {
        "config": yaml.safe_load((boards.HOME / "style.yml").read_text(encoding="utf-8"))["config"],
        "formatLocale": {**converter().get_format_locale(numbers), "percent": " %"},
        "timeFormatLocale": converter().get_time_format_locale(months),
    }


def spec(chart: Board, answers: Answers) -> dict[str, Any]:
    """Return a chart as Vega-Lite, with the rows of all the queries that it names and a tooltip for each.

    Raises DashboardError if it shows a column that none of them has.
    """
    wanted = _with_values(chart["spec"], answers)
    queries = {chart["query"], *(data["name"] for data in _at(wanted, "data") if "name" in data)}
    rows = {query: answers.rows(query) for query in sorted(queries)}
    known = {column for query in queries for column in answers.columns(query)} | set(_at(wanted, "as"))
    if lacking := sorted({field for field in _at(wanted, "field") if field not in known}):
        raise DashboardError(
            f"dashboard/boards/{answers.board}.yml: the query {chart['query']} has no column {lacking[0]}."
        )
    _keep_what_is_there(wanted, rows[chart["query"]], answers.board)
    y = wanted.get("encoding", {}).get("y", {}).get("field")
    if y and isinstance(wanted.get("height"), dict):  # so much for each row
        names, step = {row[y] for row in rows[chart["query"]]}, wanted["height"]["step"]
        lines = max((len(BREAK.findall(str(name))) + 1 for name in names), default=1)
        wanted["height"] = step * len(names)
        wanted["usermeta"] = {"narrow_height": max(step, LINE * lines + 8) * len(names)}
    return {
        "width": "container",
        "data": {"name": chart["query"]},
        **wanted,
        "params": [{"name": "narrow", "value": False}, *wanted.get("params", [])],
        "encoding": {"tooltip": {"field": "tip", "type": "nominal"}, **wanted.get("encoding", {})},
        "datasets": {query: _rows(found, chart["columns"], answers) for query, found in rows.items()},
    }


def check(drawn: Mapping[str, Any], board: str, chart: str) -> None:
    """Raise DashboardError if Vega-Lite refuses a spec."""
    try:
        converter().vegalite_to_vega(drawn)
    except ValueError as error:
        said = " ".join(str(error).split("\n    at ")[0].split())
        raise DashboardError(
            f"dashboard/boards/{board}.yml: Vega-Lite refuses the spec of the chart {chart}. {said}"
        ) from error


def bundle(folder: Path) -> str:
    """Return the JavaScript that draws charts: made once for each version of vl-convert and kept there."""
    kept = folder / f"vega-{converter().__version__}.js"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(f".{os.getpid()}")
        part.write_text(converter().javascript_bundle(), encoding="utf-8")
        part.replace(kept)
    return kept.read_text(encoding="utf-8")


def as_json(value: object) -> str:
    """Return JSON that can stand in a script of a page."""
    return json.dumps(value, ensure_ascii=False, default=str).replace("<", "\\u003c")


def _rows(rows: list[Row], columns: Mapping[str, Board], answers: Answers) -> list[dict[str, object]]:
    def tip(row: Row) -> str:
        said = [
            f"{column['label']}: {answers.language.shown(row[name], column['format'])}"
            for name, column in columns.items()
            if row.get(name) is not None
        ]
        return "\n".join(said)

    return [{**{name: _value(value) for name, value in row.items()}, "tip": tip(row)} for row in rows]


def _value(value: object) -> object:
    """Return a value as Vega reads it: dates at midnight here, nothing for what is no number."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00"
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return None
    return float(value) if isinstance(value, Decimal) else value


def _at(spec: object, key: str) -> Iterator[Any]:
    """Yield all that stands at a key of a spec, at whatever depth."""
    for name, value in (
        spec.items() if isinstance(spec, dict) else enumerate(spec) if isinstance(spec, list) else ()
    ):
        if name == key:
            yield value
        yield from _at(value, key)


def _keep_what_is_there(spec: object, rows: list[Row], board: str) -> None:
    """Take out of scales, and so of legends, the words that no row has; each word keeps its own colour.

    Raises DashboardError if a row has a word that its scale does not have.
    """
    for channel in (*_at(spec, "color"), *_at(spec, "stroke")):
        scale = channel.get("scale", {}) if isinstance(channel, dict) else {}
        if "domain" in scale and "field" in channel:
            said = {row[channel["field"]] for row in rows if row.get(channel["field"]) is not None}
            if unknown := sorted(map(str, said - set(scale["domain"]))):
                raise DashboardError(
                    f"dashboard/boards/{board}.yml: {channel['field']} is {unknown[0]}, which the colours "
                    f"don't have. They have {', '.join(scale['domain'])}."
                )
            kept = [pair for pair in zip(scale["domain"], scale["range"], strict=True) if pair[0] in said]
            scale["domain"], scale["range"] = [word for word, _ in kept], [ink for _, ink in kept]


def _with_values(spec: Any, answers: Answers) -> Any:
    if isinstance(spec, dict):
        return {key: _with_values(item, answers) for key, item in spec.items()}
    if isinstance(spec, list):
        return [_with_values(item, answers) for item in spec]
    return answers.text(spec) if isinstance(spec, str) else spec
