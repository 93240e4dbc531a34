"""A copy of the project that tests can build, and dbt in this process."""

import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from unittest import mock

import duckdb
import kept
import pandas as pd
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from customer_segmentation import inputs

PROJECT = kept.PROJECT
DATABASE = "shop"
pytest_plugins = ("browsers",)
NOT_COPIED = (".*", "*.duckdb*", "build", "target", "logs", "__pycache__", "benchmarks")
PARSED = "partial_parse.msgpack"
FIRST = "test_the_demo"


@dataclass(frozen=True)
class Outcome:
    """What a run of dbt did and said."""

    success: bool
    message: str
    warnings: list[str]
    result: object = field(repr=False)
    database: Path

    def rows(self, query: str) -> list[tuple]:
        """Return the rows of a query on the database, or of one of its tables."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(query if " " in query else f"select * from {query}").fetchall()

    def frame(self, query: str) -> pd.DataFrame:
        """Return the rows of a query with the names of its columns, and values as they are."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            cursor = connection.execute(query)
            columns = [column[0] for column in cursor.description]
            return pd.DataFrame(cursor.fetchall(), columns=columns, dtype=object)

    def tables(self, schema: str) -> list[str]:
        """Return the tables and views of a schema."""
        names = self.rows(f"select table_name from information_schema.tables where table_schema = '{schema}'")
        return sorted(name for (name,) in names)

    def marts(self) -> dict[str, list[tuple]]:
        """Return the rows of every mart, in an order that follows from the rows alone."""
        return {name: sorted(self.rows(f"marts.{name}"), key=repr) for name in self.tables("marts")}


class Project:
    """A copy of the project, in which dbt runs on databases of the tests' own."""

    def __init__(self, root: Path):
        """Copy the project; what is written into the copy stays there."""
        shutil.copytree(PROJECT, root, ignore=shutil.ignore_patterns(*NOT_COPIED))
        (root / "build").mkdir()
        self.root = root

    @cached_property
    def manifest(self) -> object:
        """The parsed project: once for all variables, of which only refs in `inputs` change it.

        What dbt has read of the project as it stands is kept, so that a copy in which something was changed
        parses only that.
        """
        own, shared = self.root / "target" / PARSED, kept.home() / "parsed" / PARSED
        own.parent.mkdir(exist_ok=True)
        if shared.is_file() and not own.is_file():
            shutil.copy(shared, own)
        # from one folder for all, because dbt reads everything anew when a variable of the profile changes
        outcome = self._invoke(kept.home(), ["parse", "--vars", json.dumps({"database": DATABASE})], None)
        assert outcome.success, outcome.message
        for node in outcome.result.nodes.values():
            if node.resource_type == "seed":  # which is read from where it was parsed first
                node.root_path = str(self.root)
        outcome.result.disabled.clear()  # which dbt can't copy
        return outcome.result

    def dbt(
        self,
        folder: Path,
        *arguments: str,
        parse: bool | None = None,
        watch: Callable | None = None,
        **variables: object,
    ) -> Outcome:
        """Run dbt on a database below the folder; with parse, read the project anew under these variables.

        It is read anew if they change what models read, unless parse is False.
        What is to watch is called with every event of the run. Tests have few rows, many of them bad: that
        stops a run where the test says so with `fail_if_rejected`.
        """
        (folder / "build").mkdir(parents=True, exist_ok=True)
        if parse is None:
            mapped = variables.get("inputs", {})
            keys = {key for mapping in mapped.values() for key in mapping}
            parse = (
                bool(keys & {"loaded_at", "grain", "returns"})
                or "returns" in mapped
                or "features" in variables
            )
        manifest = None if parse else self.manifest.deepcopy()
        return self._invoke(
            folder,
            [*arguments, "--vars", json.dumps({"database": DATABASE, "fail_if_rejected": 1, **variables})],
            manifest,
            [watch] if watch else [],
        )

    def run(self, folder: Path, *arguments: str, **variables: object) -> Outcome:
        """Run models, which must succeed."""
        outcome = self.dbt(folder, "run", *arguments, **variables)
        assert outcome.success, outcome.message
        return outcome

    def build(self, folder: Path, *arguments: str, **variables: object) -> Outcome:
        """Build everything but the unit tests, which say nothing about an input; it must succeed."""
        outcome = self.dbt(folder, "build", "--exclude-resource-type", "unit_test", *arguments, **variables)
        assert outcome.success, outcome.message
        return outcome

    def _invoke(
        self, folder: Path, arguments: list[str], manifest: object, watching: Iterable[Callable] = ()
    ) -> Outcome:
        places = {"project-dir": self.root, "profiles-dir": self.root, "target-path": self.root / "target"}
        options = [option for name, path in places.items() for option in (f"--{name}", str(path))]
        options += ["--log-level", "none", "--log-level-file", "none"]
        if arguments[0] != "parse":  # which writes what it has read
            options.append("--no-write-json")
        warnings: list[str] = []

        def collect(event: object) -> None:
            if event.info.level == "warn":
                warnings.append(event.info.msg)

        with mock.patch.dict(
            os.environ, DBT_PROFILES_DIR=str(folder)
        ):  # where profiles.yml puts the database
            outcome = dbtRunner(manifest=manifest, callbacks=[collect, *watching]).invoke(
                [*arguments, *options]
            )
        DuckDBConnectionManager.close_all_connections()
        return Outcome(
            success=outcome.success,
            message=str(outcome.exception or _failures(outcome.result)),
            warnings=warnings,
            result=outcome.result,
            database=folder / "build" / f"{DATABASE}.duckdb",
        )


def _failures(result: object) -> str:
    failed = [node for node in getattr(result, "results", []) if node.status not in ("success", "pass")]
    return "\n".join(f"{node.node.name}: {node.status}: {node.message}" for node in failed)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project as it stands."""
    project = Project(tmp_path_factory.mktemp("project") / "copy")

    def parse(folder: Path) -> None:
        assert project.manifest
        shutil.copy(project.root / "target" / PARSED, folder)

    kept.once("parsed", parse)
    return project


@pytest.fixture(scope="session")
def demo() -> Outcome:
    """The demo, built once; leave it as it is."""
    return _kept("demo")


@pytest.fixture(scope="session")
def cdnow() -> Outcome:
    """The example CDNOW, built once; leave it as it is."""
    return _kept("cdnow")


@pytest.fixture(scope="session")
def completejourney() -> Outcome:
    """The example Complete Journey, built once; leave it as it is."""
    return _kept("completejourney")


def _kept(name: str) -> Outcome:
    """Build an input with all data tests, once for all workers; read it only."""

    def build(folder: Path) -> dict:
        variables = {key: value for key, value in inputs.resolve(name).vars.items() if key != "database"}
        copy = Project(folder / "copy")  # which stays, because views read the demo's files there
        return {"warnings": copy.build(folder, **variables).warnings}

    folder, said = kept.once(name, build)
    return Outcome(True, "", said["warnings"], None, folder / "build" / f"{DATABASE}.duckdb")


@pytest.fixture
def write_csv(tmp_path: Path):
    """Write rows, the header first, and return the path of the file."""

    def write(rows: Iterable[str], name: str = "orders.csv") -> str:
        path = tmp_path / name
        path.write_text("\n".join([*rows, ""]), encoding="utf-8")
        return str(path)

    return write


def pytest_configure() -> None:
    """Settle what is kept before workers start, which inherit the place."""
    kept.home()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order files so that no worker waits: the first builds the demo, who reads it comes behind all others.

    Of those, who looks at pages comes first, because that takes longest.
    """
    needs: dict[Path, set[str]] = {}
    for item in items:
        needs.setdefault(item.path, set()).update(getattr(item, "fixturenames", ()))

    def place(item: pytest.Item) -> tuple[bool, bool, bool]:
        looks, reads = "browser" in needs[item.path], "demo" in needs[item.path]
        return item.path.stem != FIRST, looks or reads, not looks

    items.sort(key=place)
