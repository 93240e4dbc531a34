"""What boards say of small made-up marts: the SQL of the boards themselves, in DuckDB, without dbt."""

import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import yaml
from conftest import PROJECT

from customer_segmentation.dashboard import boards

REFERENCE = re.compile(r"\{\{\s*queries\.(\w+)\s*\}\}")
SEGMENTATION = "rfm"


@cache
def columns() -> dict[str, str]:
    """Return the columns of each mart, with their types, as its contract states them."""
    models = [
        model
        for path in (PROJECT / "models").rglob("*.yml")
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", [])
    ]
    return {
        model["name"]: ", ".join(f"{column['name']} {column['data_type']}" for column in model["columns"])
        for model in models
        if all("data_type" in column for column in model.get("columns", [{}]))
    }


@cache
def queries(board: str, language: str) -> dict[str, dict]:
    """Return the queries of a board as dbt-charts gets them."""
    with TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        boards.write(site, Path("shop.duckdb"), "EUR", language, [SEGMENTATION], boards.WIDE)
        return yaml.safe_load((site / "charts" / f"{board}.yml").read_text(encoding="utf-8"))["queries"]


def resolved(sql: str, named: dict[str, dict]) -> str:
    """Return SQL with the queries that it refers to in their places, as dbt-charts does."""
    return REFERENCE.sub(lambda found: f"({resolved(named[found[1]]['sql'], named)}) as {found[1]}", sql)


def answer(board: str, query: str, marts: dict[str, list[dict] | str], language: str = "en") -> list[dict]:
    """Return the rows of a board's query, about the segmentation "rfm" where it is about one.

    A mart is rows, in which a column that isn't given is empty, or SQL; those not given have no rows.
    """
    named = queries(board, language)
    with duckdb.connect() as connection:
        for mart, stated in columns().items():
            content = marts.get(mart, [])
            if isinstance(content, str):
                connection.execute(f"create table {mart} as {content}")
                continue
            connection.execute(f"create table {mart} ({stated})")
            for row in content:
                places = ", ".join("?" * len(row))
                connection.execute(
                    f"insert into {mart} ({', '.join(row)}) values ({places})", list(row.values())
                )
        assert set(marts) <= set(columns()), "not a mart"
        found = connection.execute(resolved(named[query]["sql"], named))
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def segment(name: str, **more: object) -> dict:
    """Return a row of the mart `segments`."""
    defaults = {"segmentation": SEGMENTATION, "segment": name, "assignment": "first_match", "position": 1}
    return {**defaults, "label": name.title(), "label_ko": name.title(), **more}


def test_a_query_is_run_with_the_queries_that_it_refers_to():
    rows = [
        {"subject": "input", "name": "orders", "is_present": True},
        {"subject": "column", "name": "orders.status", "is_present": False},
    ]
    found = answer("data_quality", "columns_missing", {"input_coverage": rows})
    assert found == [{"input": "orders", "missing": "status"}]
