"""The command line in processes of its own, which tests starve, interrupt and kill.

They are forked from a server that has imported dbt already, so that each starts in no time.
"""

import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
from conftest import Project

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "customer_segmentation.cli",
        "customer_segmentation.watching",
        "pytest",
        "scipy.stats",
        "sklearn.cluster",
    ]
)
START = date(2025, 1, 1)
VARS = """\
history_months: 2
segmentations: [rfm]
inputs: {{orders: {{file: {orders}}}}}
"""


def orders(days: int) -> list[str]:
    """Return the lines of a file of 150 customers' orders in the first so many days of a year and a half."""
    chance = random.Random(1)
    placed = [
        (
            number,
            int(150 * chance.random() ** 2),
            START + timedelta(chance.randrange(500)),
            chance.randrange(1, 200),
        )
        for number in range(1200)
    ]
    rows = [
        f"{number},c{who},{day},{sum_}" for number, who, day, sum_ in placed if day < START + timedelta(days)
    ]
    return ["order_id,customer_id,ordered_at,amount", *rows, ""]


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it printed."""

    exit_code: int
    printed: str


@dataclass(frozen=True)
class Shop:
    """A small shop in a copy of the project: its orders, its vars file, its database."""

    project: Project
    name: str

    @property
    def orders(self) -> Path:
        """The file of orders."""
        return self.project.root / f"{self.name}.csv"

    @property
    def vars_file(self) -> Path:
        """The vars file, which names the database after itself."""
        return self.project.root / f"{self.name}.yml"

    @property
    def database(self) -> Path:
        """The published database."""
        return self.project.root / "build" / f"{self.name}.duckdb"

    @property
    def left_aside(self) -> list[str]:
        """What stands beside the published database, but for locks, which are files that stay."""
        aside = self.database.parent / "aside"
        return sorted(path.name for path in aside.glob(f"{self.name}.*") if path.suffix != ".lock")

    def open(self, days: int = 450) -> "Shop":
        """Write the vars file and the orders of so many days."""
        self.orders.write_text("\n".join(orders(days)), encoding="utf-8")
        self.vars_file.write_text(VARS.format(orders=self.orders), encoding="utf-8")
        return self

    def start(self, *arguments: str, before: Callable | None = None) -> "Run":
        """Start the command line in a process; `before` is called there first and must be picklable."""
        printed = self.project.root / f"{self.name}.log"
        printed.write_text("", encoding="utf-8")
        command = [*arguments, "--input", str(self.vars_file)]
        process = PROCESSES.Process(
            target=_run, args=(self.project.root, command, printed, before), daemon=True
        )
        process.start()
        return Run(process, printed, time.monotonic())

    def run(self, *arguments: str, before: Callable | None = None) -> Ended:
        """Run the command line to its end."""
        return self.start(*arguments, before=before).wait()

    def tables(self) -> dict[str, tuple]:
        """Return number of rows and a sum of hashes of each mart and of the published record."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            names = connection.execute(
                "select table_schema || '.' || table_name from information_schema.tables "
                "where table_schema = 'marts' or table_name = 'segment_history' order by 1"
            ).fetchall()
            return {
                name: connection.execute(f"select count(*), sum(hash(t)) from {name} as t").fetchone()
                for (name,) in names
            }


@dataclass(frozen=True)
class Run:
    """A process of the command line."""

    process: multiprocessing.Process
    printed: Path
    started: float

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal."""
        with suppress(ProcessLookupError):  # it has ended
            os.kill(self.process.pid, number)

    def wait(self) -> Ended:
        """Wait for its end."""
        self.process.join(300)
        assert self.process.exitcode is not None, "it hangs"
        return Ended(self.process.exitcode, self.printed.read_text(encoding="utf-8"))


def _run(root: Path, arguments: list[str], printed: Path, before: Callable | None) -> None:
    from customer_segmentation import builds, cli, inputs

    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # which is ignored where tests run in the background
    with printed.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(root)
    builds.PROJECT = inputs.PROJECT = root
    sys.stdout = os.fdopen(1, "w", buffering=1)
    sys.stderr = os.fdopen(2, "w", buffering=1)
    if before:
        before()
    cli.main(arguments)
