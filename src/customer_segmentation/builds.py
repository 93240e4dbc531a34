"""Runs `dbt build` in this process, says what it is doing, and makes its errors readable."""

import json
import os
import re
import sys
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Self

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.resources.types import NodeType
from dbt.artifacts.schemas.results import FreshnessStatus, RunStatus, TestStatus
from dbt.artifacts.schemas.run import RunExecutionResult, RunResult
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.nodes import ModelNode, SeedNode, SnapshotNode
from rich.console import Console
from rich.status import Status

from customer_segmentation import messages, publishing
from customer_segmentation.definitions import check as definitions
from customer_segmentation.environment import PROJECT
from customer_segmentation.errors import ReadableError
from customer_segmentation.inputs import Input, project_vars

ASIDE = "SEGMENTATION_ASIDE"  # where profiles.yml finds the database of a build
STORED = (ModelNode, SeedNode, SnapshotNode)
# each stands for its namesakes of other kinds of nodes, which are equal to it
FAILED = {RunStatus.Error, TestStatus.Fail, FreshnessStatus.RuntimeErr, RunStatus.PartialSuccess}


class BuildError(ReadableError):
    """The build failed and published nothing; the message says why, and what to do."""


def build(
    source: Input,
    *,
    full_refresh: bool = False,
    restate: bool = False,
    select: str | None = None,
    keep: bool = False,
    console: Console | None = None,
) -> list[str]:
    """Build an input aside, publish it as its database, and return dbt's warnings.

    full_refresh: compute anew all that can be computed; what was published stays. restate: that, and publish
    the whole history anew. keep: leave what a failing build has built so far.
    """
    if source.built_elsewhere:
        raise BuildError(f"{source.database} is of another project. Build it there: dbt build.")
    before = _file(source.database)
    copy = None
    try:
        definitions.check(PROJECT, source.database, _published(source))
        with publishing.aside(source.database, keep=keep) as copy:
            results, warnings = _run_dbt(copy, _arguments(source, full_refresh, restate, select), console)
            _check_complete(copy, results)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_state(source.database, before)) from None
    except (ReadableError, OSError, duckdb.Error) as error:
        told = str(error) if isinstance(error, ReadableError) else messages.explain(str(error))
        kept = f" What was built so far: {copy}." if keep and copy and copy.exists() else ""
        raise BuildError(f"{told}\n\n{_state(source.database, before)}{kept}") from error
    return warnings


def check(source: Input, project: Path | None = None) -> None:
    """Check the definitions, as a build does before it builds anything; ReadableError says what is wrong.

    Those that are not published are checked here alone: a build that doesn't use them doesn't stop for them.
    Of another project, which uses this one, only what they mean is: its own dbt looks at all else.
    """
    definitions.check(project or PROJECT, source.database)
    if project:
        return
    arguments = ["run-operation", "check_segmentations", "--project-dir", str(PROJECT)]
    arguments += ["--profiles-dir", str(PROJECT), "--target-path", str(PROJECT / "target" / "check")]
    arguments += ["--log-level", "none", "--vars", json.dumps(source.vars, default=str)]
    said: list[str] = []

    def listen(event: messages.Event) -> None:
        if event.info.name in ("RunningOperationCaughtError", "RunningOperationUncaughtError"):
            # the result of an operation has no message, and that of its error begins with where dbt met it
            said.append(re.sub(r"^\w+ Error in macro .*\n", "", event.data.exc))

    outcome = _invoke(Path(":memory:"), arguments, listen)
    if not outcome.success:
        raise ReadableError(messages.explain("\n".join(said) or str(outcome.exception)))


def _published(source: Input) -> list[str] | None:
    """Return the names of the segmentations that are published; None if nobody lists any: dbt says so."""
    names = source.vars.get("segmentations", project_vars().get("segmentations"))
    return names if isinstance(names, list) else None


def _file(database: Path) -> int | None:
    """Return the number of the file that stands at a path, if any does."""
    return database.stat().st_ino if database.exists() else None


def _state(database: Path, before: int | None) -> str:
    """Say whether a build that ended early had published: it may have, and not have had time to say so."""
    now = _file(database)
    if now != before:
        return f"{database} is new."
    return f"{database} is as it was." if now else "Nothing is published."


def _arguments(source: Input, full_refresh: bool, restate: bool, select: str | None) -> list[str]:
    """Return dbt's arguments.

    Each set of variables has a target folder of its own, because others make dbt parse everything anew. Unit
    tests say nothing about an input: `make test` runs them.
    """
    variables = source.vars | ({"restate": True} if restate else {})
    target = PROJECT / "target" / (f"{source.name}_restated" if restate else source.name)
    arguments = ["build", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    arguments += ["--target-path", str(target), "--log-level", "none", "--exclude-resource-type", "unit_test"]
    if variables:
        arguments += ["--vars", json.dumps(variables, default=str)]
    if full_refresh or restate:
        arguments.append("--full-refresh")
    if select:
        arguments += ["--select", select]
    return arguments


def _run_dbt(
    database: Path, arguments: list[str], console: Console | None
) -> tuple[list[RunResult], list[str]]:
    """Run dbt on a database; return the results of its nodes, and its warnings."""
    warnings: list[str] = []
    place = messages.Place()
    with _Progress(console) as progress:
        outcome = _invoke(database, arguments, progress.follow, place.follow, _collector(warnings))
    if _was_interrupted(outcome.exception):
        raise KeyboardInterrupt
    if outcome.exception:
        raise BuildError(messages.explain(str(outcome.exception), place.name))
    assert isinstance(outcome.result, RunExecutionResult)  # as of every `dbt build`
    results = list(outcome.result.results)
    if not outcome.success:
        failed = [result for result in results if result.status in FAILED]
        told = [messages.explain(_message(result), place.name) for result in failed]
        # an advice that several nodes would give is given once, with what the first of them met
        errors = list({error.partition("\n\n")[0]: error for error in reversed(told)}.values())[::-1]
        skipped = sum(result.status == RunStatus.Skipped for result in results)
        if skipped:
            errors.append(f"{skipped} more were skipped because of that.")
        raise BuildError("\n\n".join(errors))
    return results, warnings


def _invoke(
    database: Path, arguments: list[str], *callbacks: Callable[[messages.Event], None]
) -> dbtRunnerResult:
    """Run dbt on a database in this process."""
    os.environ["DBT_PROFILES_DIR"] = str(PROJECT)
    os.environ[ASIDE] = str(database)
    try:
        with chdir(Path.cwd()):  # dbt leaves for the project's folder
            return dbtRunner(callbacks=list(callbacks)).invoke(arguments)
    finally:
        del os.environ[ASIDE]
        DuckDBConnectionManager.close_all_connections()  # others open the database in their own way


def _was_interrupted(exception: BaseException | None) -> bool:
    """Return whether an interrupt is behind an exception: closing connections after it may fail as well."""
    while exception is not None and not isinstance(exception, KeyboardInterrupt):
        exception = exception.__cause__ or exception.__context__
    return exception is not None


def _check_complete(database: Path, results: list[RunResult]) -> None:
    """Prove that all that dbt says it has built is in the database."""
    with duckdb.connect(str(database)) as connection:
        query = "select table_schema, table_name from information_schema.tables"
        there = set(connection.execute(query).fetchall())
    nodes = [result.node for result in results]
    built = {(node.schema, node.alias) for node in nodes if isinstance(node, STORED)}
    missing = [".".join(name) for name in sorted(built - there)]
    if missing:
        raise BuildError(f"dbt says that it built {', '.join(missing)}, and it is not in {database}.")


def _message(result: RunResult) -> str:
    where = f"{result.node.name} ({result.node.original_file_path})"
    said = result.message or ""
    message = said if where in said else f"{where}: {said}"
    if result.node.resource_type == NodeType.Unit and result.status == TestStatus.Fail:
        message += "\nIf the change was meant, correct what this unit test gives or expects."
    return message


def _collector(warnings: list[str]) -> Callable[[messages.Event], None]:
    def collect(event: messages.Event) -> None:
        if event.info.level == "warn":
            warnings.append(event.info.msg)

    return collect


class _Progress:
    """What dbt is doing now, as n of m: one changing line on a terminal, ten lines in a log."""

    def __init__(self, console: Console | None):
        self.console = console
        self.status: Status | None = None
        self.tenth = 0

    def __enter__(self) -> Self:
        if self.console and self.console.is_terminal:
            self.status = self.console.status("Reading the project ...")
            self.status.start()
        return self

    def __exit__(self, *details: object) -> None:
        if self.status:
            self.status.stop()

    def follow(self, event: messages.Event) -> None:
        if event.info.name != "LogStartLine" or not self.console:
            return
        data = event.data
        line = f"{data.index:>5} of {data.total}  {data.node_info.node_name}"
        if self.status:
            self.status.update(line)
        elif data.index * 10 // data.total > self.tenth:
            self.tenth = data.index * 10 // data.total
            self.console.print(line, highlight=False, soft_wrap=True)
            sys.stdout.flush()
