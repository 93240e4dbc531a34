"""Each board is an exposure, which depends on exactly the marts that the board's SQL reads."""

import re
from collections.abc import Iterable

import pytest
from sqlglot import exp, parse_one
from sqlglot.optimizer.scope import traverse_scope

from customer_segmentation.dashboard import boards

FILE = "models/marts/_exposures.yml"
PAGES = (boards.HOME / "boards").glob("*.yml")
WRITTEN = sorted(path.stem for path in PAGES if "." not in path.stem and path.stem != "pages")
MARKS = (
    (re.compile(r"\b_\('"), "('"),
    (re.compile(r"\{label\}|\{segmentation\}|\{currency\}"), "x"),
)


@pytest.fixture(scope="session")
def exposures(project) -> dict[str, object]:
    return {exposure.name: exposure for exposure in project.manifest.exposures.values()}


def tables(sql: str, others: Iterable[str] = ()) -> set[str]:
    """Return the tables that a query of a board reads, without those that it or other queries make."""
    for mark, text in MARKS:
        sql = mark.sub(text, sql)
    scopes = traverse_scope(parse_one(sql, dialect="duckdb"))
    sources = [source for scope in scopes for source in scope.sources.values()]
    return {source.name for source in sources if isinstance(source, exp.Table)} - {*others, ""}


def test_tables_are_those_that_a_query_does_not_make_itself():
    sql = """
        with customers as (select * from customers), kept as (select {label} from segments where a = _('b'))
        select '{segmentation}', (select max(d) from drift) from kept, customers join gaps using (a)
    """
    assert tables(sql, ["gaps"]) == {"customers", "segments", "drift"}


def test_each_board_is_an_exposure(exposures):
    assert set(exposures) == set(WRITTEN), FILE


@pytest.mark.parametrize("name", WRITTEN)
def test_an_exposure_depends_on_what_its_board_reads(exposures, name):
    exposure = exposures[name]
    queries = boards.read(name)["queries"]
    read = set().union(*(tables(sql, queries) for sql in queries.values()))
    stated = {node.split(".")[-1] for node in exposure.depends_on.nodes}
    missing, extra = sorted(read - stated), sorted(stated - read)
    assert not missing, f"dashboard/boards/{name}.yml reads {missing}: add them to {name} in {FILE}"
    assert not extra, f"dashboard/boards/{name}.yml doesn't read {extra}: take them out of {name} in {FILE}"
    assert exposure.type.value == "dashboard"
    assert exposure.owner.name and exposure.maturity and exposure.description.strip()
    assert exposure.label == boards.read(name)["title"]


@pytest.mark.parametrize("name", WRITTEN)
def test_no_query_has_the_name_of_a_mart(project, name):
    """It would hide the mart from the queries after it."""
    models = {node.name for node in project.manifest.nodes.values() if node.resource_type == "model"}
    assert not models & set(boards.read(name)["queries"])
