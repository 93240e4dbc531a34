"""Unit tests of the shipped segmentations show a customer on each side of every boundary.

Each comparison in a definition is changed a little (`>` to `>=`), taken out (`true`) and made impossible
(`false`). If the customers of the unit tests stay where they are, nobody in them stands at that boundary.
"""

import json
import re
from dataclasses import dataclass

import duckdb
import pytest
import yaml
from test_segment_definitions import DEFINITIONS, PROJECT, Definitions

VALUE = r"-?[\d.]+|'(?:[^']|'')*'|\w+"
COMPARED = re.compile(rf"(?P<column>\w+)\s*(?P<sign><>|!=|<=|>=|=|<|>)\s*(?P<value>{VALUE})")
BETWEEN = re.compile(rf"(?P<column>\w+)\s+between\s+(?P<low>{VALUE})\s+and\s+(?P<high>{VALUE})")
LISTED = re.compile(r"(?P<column>\w+)\s+in\s*\([^)]*\)")
NEIGHBOUR = {">": ">=", ">=": ">", "<": "<=", "<=": "<"}
BY_CONDITIONS = [name for name, definition in DEFINITIONS.items() if definition["assignment"] != "learned"]


@dataclass(frozen=True)
class Compiled:
    """A definition as SQL, and the conditions that stand in it word for word."""

    expression: str
    conditions: dict[str, str]  # what has it: the condition

    def changed(self) -> dict[str, str]:
        """Return {what was changed: SQL}, for every comparison of every condition."""
        found = {}
        for owner, condition in self.conditions.items():
            for start, end, others in comparisons(condition):
                for other in others:
                    instead = f"{condition[:start]}({other}){condition[end:]}"
                    place = "({})" if owner == "population" else f"when {{}} then '{owner}'"
                    sql = self.expression.replace(place.format(condition), place.format(instead))
                    assert sql != self.expression, (owner, condition)
                    found[f"{owner}: {condition[start:end]} as {other}"] = sql
        return found


def comparisons(condition: str) -> list[tuple[int, int, list[str]]]:
    """Return where each comparison of a condition begins and ends, and what could stand there instead."""
    found = []
    for match in COMPARED.finditer(condition):
        column, sign, value = match["column"], match["sign"], match["value"]
        near = [f"{column} {NEIGHBOUR[sign]} {value}"] if sign in NEIGHBOUR else []
        found.append((*match.span(), [*near, "true", "false"]))
    for match in BETWEEN.finditer(condition):
        column, low, high = match["column"], match["low"], match["high"]
        others = [
            f"{column} > {low} and {column} <= {high}",
            f"{column} >= {low} and {column} < {high}",
            f"{column} >= {low}",
            f"{column} <= {high}",
        ]
        found.append((*match.span(), others))
    for match in LISTED.finditer(condition):
        found.append((*match.span(), ["true", "false"]))
    return found


def customers_of_unit_tests(name: str) -> str:
    """Return the customers of the unit tests of a segmentation, as SQL."""
    path = PROJECT / "models" / "segments" / f"segments_{name}.yml"
    tests = yaml.safe_load(path.read_text(encoding="utf-8"))["unit_tests"]
    rows = [row for test in tests for given in test["given"] for row in given["rows"]]
    columns = sorted(
        {column for test in tests for column in test["overrides"]["macros"]["segmentation_columns"]}
    )
    values = ", ".join(f"({', '.join(as_sql(row.get(column)) for column in columns)})" for row in rows)
    return f"(values {values}) as customers ({', '.join(columns)})"


def as_sql(value: object) -> str:
    return "null" if value is None else f"'{value}'" if isinstance(value, str) else str(value).lower()


@pytest.fixture(scope="module")
def compiled(project, tmp_path_factory) -> dict[str, Compiled]:
    definitions = Definitions(project, tmp_path_factory.mktemp("definitions"))
    told = definitions.render(f"""
        {{% if execute %}}{{% set told = {{}} %}}{{% for name in {BY_CONDITIONS} %}}
        {{% set definition = resolved_segmentation(name, segmentation_as_written(name)) %}}
        {{% set conditions = {{'population': definition.population or ''}} %}}
        {{% for segment in definition.segments if segment.when %}}
        {{% do conditions.update({{segment.name: segment.when}}) %}}
        {{% endfor %}}
        {{% do told.update({{name: [segment_expression(dict(definition, left_out={{}})), conditions]}}) %}}
        {{% endfor %}}{{{{ tojson(told) }}}}{{% endif %}}
    """)
    return {name: Compiled(*parts) for name, parts in json.loads(told).items()}


@pytest.mark.parametrize("name", BY_CONDITIONS)
def test_a_customer_stands_on_each_side_of_every_boundary(compiled: dict[str, Compiled], name: str):
    customers = customers_of_unit_tests(name)

    def placed(expression: str) -> list[tuple]:
        return duckdb.sql(f"select {expression} from {customers}").fetchall()

    as_written = placed(compiled[name].expression)
    unnoticed = [what for what, sql in compiled[name].changed().items() if placed(sql) == as_written]
    assert not unnoticed, f"no customer in the unit tests of {name} would notice:\n  " + "\n  ".join(
        unnoticed
    )


def test_a_boundary_without_a_customer_is_named():
    """The test above sees what it should: nobody here stands below the boundary."""
    case = Compiled("case when x >= 5 then 'many' else 'few' end", {"many": "x >= 5"})
    noticed = {
        what: duckdb.sql(f"select {sql} from (values (5), (6)) as t (x)").fetchall() != [("many",), ("many",)]
        for what, sql in case.changed().items()
    }
    assert noticed == {
        "many: x >= 5 as x > 5": True,
        "many: x >= 5 as true": False,
        "many: x >= 5 as false": True,
    }
