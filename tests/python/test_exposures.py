"""Each board is an exposure, which depends on exactly the marts that the board's SQL reads."""

import re
from collections.abc import Iterator

import pytest
from sqlglot import exp, parse_one
from sqlglot.optimizer.scope import traverse_scope

from customer_segmentation.dashboard import boards

FILE = "models/marts/_exposures.yml"
WRITTEN = sorted(path.stem for path in (boards.HOME / "boards").glob("*.yml") if "." not in path.stem)
MARKS = (
    (re.compile(r"\b_\('"), "('"),
    (re.compile(r"\{\{\s*queries\.\w+\s*\}\}"), "another_query"),
    (re.compile(r"\{\{.*?\}\}|\{label\}|\{segmentation\}|\{currency\}"), "x"),
)


@pytest.fixture(scope="session")
def exposures(project) -> dict[str, object]:
    return {exposure.name: exposure for exposure in project.manifest.exposures.values()}


def queries(board: dict) -> Iterator[str]:
    """Yield the SQL of a board: what stands at `sql`, or right at a chart's `query`."""
    for key, text in boards.strings(board):
        if key == "sql" or re.match(r"\s*(select|with)\s", text):
            yield text


def tables(sql: str) -> set[str]:
    """Return the tables that a query of a board reads, without those that it makes itself."""
    for mark, text in MARKS:
        sql = mark.sub(text, sql)
    scopes = traverse_scope(parse_one(sql, dialect="duckdb"))
    sources = [source for scope in scopes for source in scope.sources.values()]
    return {source.name for source in sources if isinstance(source, exp.Table)} - {"another_query", ""}


def test_tables_are_those_that_a_query_does_not_make_itself():
    sql = """
        with customers as (select * from customers), kept as (select {label} from segments where a = _('b'))
        select {{ x }}, (select max(d) from drift) from kept, customers join {{ queries.gaps }} using (a)
    """
    assert tables(sql) == {"customers", "segments", "drift"}


def test_each_board_is_an_exposure(exposures):
    assert set(exposures) == set(WRITTEN), FILE


@pytest.mark.parametrize("name", WRITTEN)
def test_an_exposure_depends_on_what_its_board_reads(exposures, name):
    exposure = exposures[name]
    read = set().union(*(tables(sql) for sql in queries(boards.read(name))))
    stated = {node.split(".")[-1] for node in exposure.depends_on.nodes}
    missing, extra = sorted(read - stated), sorted(stated - read)
    assert not missing, f"dashboard/boards/{name}.yml reads {missing}: add them to {name} in {FILE}"
    assert not extra, f"dashboard/boards/{name}.yml doesn't read {extra}: take them out of {name} in {FILE}"
    assert exposure.type.value == "dashboard"
    assert exposure.owner.name and exposure.maturity and exposure.description.strip()
    assert exposure.label == boards.read(name)["title"]
