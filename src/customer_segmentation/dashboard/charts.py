"""Charts of boards: Vega-Lite specs with their rows, checked and drawn by vl-convert."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from customer_segmentation.dashboard import boards
from customer_segmentation.dashboard.boards import Answers, Board, DashboardError, Row

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
    """Return a chart as Vega-Lite, with the rows of all the queries that it names and a tooltip for each."""
    wanted = _with_values(chart["spec"], answers)
    _keep_what_is_there(wanted, answers.rows(chart["query"]))
    found = sorted({chart["query"], *_named(wanted)})
    datasets = {query: _rows(answers.rows(query), chart["columns"], answers) for query in found}
    if isinstance(wanted["height"], dict):  # so much for each row
        names = {row[wanted["encoding"]["y"]["field"]] for row in answers.rows(chart["query"])}
        wanted["height"] = wanted["height"]["step"] * len(names)
    encoding = {"tooltip": {"field": "tip", "type": "nominal"}, **wanted.get("encoding", {})}
    return {
        "width": "container",
        "params": [{"name": "narrow", "value": False}],
        "data": {"name": chart["query"]},
        **wanted,
        "encoding": encoding,
        "datasets": datasets,
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


def picture(drawn: Mapping[str, Any], language: str, width: int = 600) -> str:
    """Return a chart as an SVG of that width."""
    settings = shared(language)
    svg: str = converter().vegalite_to_svg(
        {**drawn, "width": width},
        config=settings["config"],
        format_locale=settings["formatLocale"],
        time_format_locale=settings["timeFormatLocale"],
    )
    return svg


def bundle(folder: Path) -> str:
    """Return the JavaScript that draws charts: made once for each version of vl-convert and kept there."""
    kept = folder / f"vega-{converter().__version__}.js"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part")
        part.write_text(converter().javascript_bundle(), encoding="utf-8")
        part.replace(kept)
    return kept.read_text(encoding="utf-8")


def as_json(value: object) -> str:
    """Return JSON that can stand in a script of a page."""
    return json.dumps(value, ensure_ascii=False, default=_plain).replace("<", "\\u003c")


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)


def _rows(rows: list[Row], columns: Mapping[str, Board], answers: Answers) -> list[dict[str, object]]:
    def tip(row: Row) -> str:
        said = [
            f"{column['label']}: {answers.language.shown(row[name], column.get('format', ''))}"
            for name, column in columns.items()
            if row.get(name) is not None
        ]
        return "\n".join(said)

    return [{**{name: _value(value) for name, value in row.items()}, "tip": tip(row)} for row in rows]


def _value(value: object) -> object:
    """Return a value as Vega reads it: dates at midnight here, nothing for what is no number."""
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00"
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return None
    return float(value) if isinstance(value, Decimal) else value


def _named(spec: object) -> set[str]:
    """Return the names of all data in a spec."""
    if isinstance(spec, list):
        return set().union(*map(_named, spec)) if spec else set()
    if not isinstance(spec, dict):
        return set()
    data = spec.get("data")
    own = {data["name"]} if isinstance(data, dict) and "name" in data else set()
    return own | set().union(*map(_named, spec.values()))


def _keep_what_is_there(spec: object, rows: list[Row]) -> None:
    """Take out of scales, and so of legends, the words that no row has; each word keeps its own colour."""
    if isinstance(spec, list):
        for item in spec:
            _keep_what_is_there(item, rows)
    if not isinstance(spec, dict):
        return
    scale = spec.get("scale")
    if "field" in spec and isinstance(scale, dict) and {"domain", "range"} <= set(scale):
        said = {row[spec["field"]] for row in rows}
        kept = [(word, ink) for word, ink in zip(scale["domain"], scale["range"], strict=True) if word in said]
        spec["scale"] = {"domain": [word for word, _ in kept], "range": [ink for _, ink in kept]}
    for item in spec.values():
        _keep_what_is_there(item, rows)


def _with_values(spec: Any, answers: Answers) -> Any:
    if isinstance(spec, dict):
        return {key: _with_values(item, answers) for key, item in spec.items()}
    if isinstance(spec, list):
        return [_with_values(item, answers) for item in spec]
    return answers.text(spec) if isinstance(spec, str) else spec
