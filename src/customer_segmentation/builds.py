"""Runs `dbt build` in this process, says what it is doing, and makes its errors readable."""

import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.schemas.results import NodeStatus
from dbt.artifacts.schemas.run import RunResult
from dbt.cli.main import dbtRunner
from rich.console import Console

from customer_segmentation.environment import PROJECT
from customer_segmentation.inputs import Input

FAILED = {NodeStatus.Error, NodeStatus.Fail, NodeStatus.RuntimeErr, NodeStatus.PartialSuccess}


class BuildError(Exception):
    """The build failed; the message is what dbt says about it."""


def build(
    source: Input,
    *,
    full_refresh: bool = False,
    apply_only: bool = False,
    select: str | None = None,
    console: Console | None = None,
) -> list[str]:
    """Build an input into its database and return dbt's warnings; apply_only keeps the stored fits.

    Each input has a target folder of its own, because other variables make dbt parse everything anew.
    The unit tests say nothing about an input, so only the demo runs them.
    """
    if source.built_elsewhere:
        raise BuildError(f"{source.database} is of another project. Build it there: dbt build.")
    os.environ["DBT_PROFILES_DIR"] = str(PROJECT)  # profiles.yml puts the database beside itself
    arguments = ["build", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    arguments += ["--target-path", str(PROJECT / "target" / source.name), "--log-level", "none"]
    if source.vars:
        arguments += ["--vars", json.dumps(source.vars, default=str), "--exclude-resource-type", "unit_test"]
    if apply_only:
        if not source.database.is_file():
            raise BuildError(
                f"There are no fits to apply yet, because {source.database} was never built: "
                "make build comes first."
            )
        arguments += ["--exclude", "tag:fit"]
    if full_refresh:
        arguments.append("--full-refresh")
    if select:
        arguments += ["--select", select]

    warnings: list[str] = []
    with _Progress(console) as progress:
        outcome = dbtRunner(callbacks=[progress.follow, _collector(warnings)]).invoke(arguments)
    DuckDBConnectionManager.close_all_connections()  # the report opens the database in its own way
    if outcome.exception:
        raise BuildError(_explain(str(outcome.exception)))
    if not outcome.success:
        results = list(outcome.result)
        errors = [_explain(_message(result)) for result in results if result.status in FAILED]
        skipped = sum(result.status == NodeStatus.Skipped for result in results)
        if skipped:
            errors.append(f"{skipped} more were skipped because of that.")
        raise BuildError("\n\n".join(errors))
    return warnings


def _message(result: RunResult) -> str:
    where = f"{result.node.name} ({result.node.original_file_path})"
    return result.message if where in result.message else f"{where}: {result.message}"


def _explain(message: str) -> str:
    if "Could not set lock on file" in message:
        return (
            "Another process has the database open (a build, a dashboard, a DuckDB shell). "
            f"Close it and build again.\n\n{message}"
        )
    return message


def _collector(warnings: list[str]) -> Callable:
    def collect(event: object) -> None:
        if event.info.level == "warn":
            warnings.append(event.info.msg)

    return collect


class _Progress(AbstractContextManager):
    """What dbt is doing now, as n of m: one changing line on a terminal, ten lines in a log."""

    def __init__(self, console: Console | None):
        self.console = console
        self.status = None
        self.tenth = 0

    def __enter__(self):
        if self.console and self.console.is_terminal:
            self.status = self.console.status("Reading the project ...")
            self.status.start()
        return self

    def __exit__(self, *details: object) -> None:
        if self.status:
            self.status.stop()

    def follow(self, event: object) -> None:
        if event.info.name != "LogStartLine" or not self.console:
            return
        data = event.data
        line = f"{data.index:>5} of {data.total}  {data.node_info.node_name}"
        if self.status:
            self.status.update(line)
        elif data.index * 10 // data.total > self.tenth:
            self.tenth = data.index * 10 // data.total
            self.console.print(line, highlight=False)
            sys.stdout.flush()
