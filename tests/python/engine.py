"""The project's own SQL, compiled once and run in memory on rows that a test gives or draws."""

from pathlib import Path

import duckdb
import pandas as pd
from conftest import PROJECT, Project

from customer_segmentation.contract import read_contract

CONTRACT = read_contract(lines=True)
INPUTS = tuple(name for name in CONTRACT if name != "returns")  # of returns the orders tell
Shop = dict[str, list[dict]]


class Engine:
    """The compiled models on a database in memory."""

    def __init__(self, nodes: list):
        """Take the models in an order in which they can be run."""
        self.models = {node.unique_id: node for node in nodes if node.resource_type == "model"}
        tests = [node for node in nodes if node.resource_type == "test"]
        self.tests = [test for test in tests if test.config.severity.lower() == "error"]
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("attach ':memory:' as shop; use shop")
        for schema in {"raw", "staging", *(node.schema for node in self.models.values())}:
            self.connection.execute(f"create schema {schema}")
        problems = PROJECT / "seeds" / "reference" / "reject_problems.csv"
        self.connection.execute(f"create table staging.reject_problems as from '{problems}'")
        self.connection.execute("set variable first_date = date '0001-01-01'")  # all dates are made together
        self.connection.execute("set variable last_date = date '9999-12-31'")
        self.connection.execute(raw_tables())
        for model in self.models.values():
            self._make(model)

    def compute(self, shop: Shop, *names: str) -> None:
        """Run all models on these inputs, or those that the named ones need."""
        for name, definition in CONTRACT.items():
            self.connection.execute(f"delete from raw.{name}")
            if shop.get(name):
                rows = pd.DataFrame(shop[name], columns=list(definition["columns"]), dtype=object)
                self.connection.register("rows", rows.where(rows.notna(), None))
                self.connection.execute(f"insert into raw.{name} from rows")
        needed = self._needed(names)
        for model in self.models.values():
            if model.config.materialized != "view" and (not names or model.unique_id in needed):
                self._make(model)

    def rows(self, query: str) -> list[tuple]:
        """Return the rows of a query."""
        return self.connection.execute(query).fetchall()

    def by_customer(self, relation: str, without: list[str] = ()) -> dict[tuple, dict]:
        """Return the rows of a relation by customer and date."""
        cursor = self.connection.execute(f"select * from {relation}")
        columns = [column[0] for column in cursor.description]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        return {
            (row["customer_id"], row["as_of_date"]): {
                name: value for name, value in row.items() if name not in without
            }
            for row in rows
        }

    def _make(self, model: object) -> None:
        if model.language == "python":
            compiled: dict = {}
            exec(model.compiled_code, compiled)
            read = compiled["dbtObj"](lambda name: self.connection.query(f"select * from {name}"))
            # what is stored is of another shop
            self.connection.execute(f"drop table if exists {model.relation_name}")
            made = compiled["model"](read, self.connection)  # noqa: F841, which DuckDB reads
            self.connection.execute(f"create table {model.relation_name} as from made")
            return
        kind = "view" if model.config.materialized == "view" else "table"
        self.connection.execute(f"create or replace {kind} {model.relation_name} as {model.compiled_code}")

    def _needed(self, names: tuple[str, ...]) -> set[str]:
        needed, waiting = set(), [node.unique_id for node in self.models.values() if node.name in names]
        while waiting:
            unique_id = waiting.pop()
            if unique_id in self.models and unique_id not in needed:
                needed.add(unique_id)
                waiting += self.models[unique_id].depends_on.nodes
        return needed


def raw_tables() -> str:
    """Return the statements that make a table of texts for each input."""
    columns = {
        name: ", ".join(f"{column} varchar" for column in definition["columns"])
        for name, definition in CONTRACT.items()
    }
    return "; ".join(f"create or replace table raw.{name} ({texts})" for name, texts in columns.items())


def compiled(
    project: Project,
    folder: Path,
    *selection: str,
    inputs: tuple[str, ...] = INPUTS,
    orders: dict | None = None,
    **variables,
) -> Engine:
    """Compile models, and data tests with them, over tables of texts in place of the inputs' files.

    orders: what the mapping of the orders says besides its table.
    """
    (folder / "build").mkdir(exist_ok=True)
    with duckdb.connect(str(folder / "build" / "shop.duckdb")) as connection:
        connection.execute(f"create schema if not exists raw; {raw_tables()}")
    tables = {name: {"table": f"raw.{name}"} for name in inputs}
    tables["orders"] |= orders or {}
    outcome = project.dbt(folder, "compile", "--select", *selection, inputs=tables, **variables)
    assert outcome.success, outcome.message
    return Engine([result.node for result in outcome.result.results])
