"""A build that is killed, at whatever moment, leaves the published database as it was or all new."""

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path

import duckdb
import pytest
from conftest import Project
from processes import PROCESSES, Shop

from customer_segmentation import publishing

# they write nothing, and take half of the time
WITHOUT_DATA_TESTS = """
data_tests:
  customer_segmentation:
    +enabled: false
"""
ROUNDS = 10
HALF_BUILT = 4  # of those, at least: reading the project comes before, and takes a part of the time


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project."""
    project = Project(tmp_path_factory.mktemp("killed") / "copy")
    with (project.root / "dbt_project.yml").open("a", encoding="utf-8") as file:
        file.write(WITHOUT_DATA_TESTS)
    return project


def killed(shop: Shop, moment: float) -> bool:
    """Kill a build after so many seconds; return whether it was still running."""
    run = shop.start("build", "--quiet")
    time.sleep(moment)
    run.kill(signal.SIGKILL)
    ended = run.wait()
    assert ended.exit_code in (-signal.SIGKILL, 0), ended.printed
    return ended.exit_code != 0


def begun(shop: Shop) -> bytes:
    """Return what a build has written aside: the copy and its log, into which DuckDB commits first."""
    copy = shop.database.parent / "aside" / shop.database.name
    files = (copy, copy.with_name(f"{copy.name}.wal"))
    return b"".join(path.read_bytes() for path in files if path.exists())


def survive(project: Project, build: str) -> int:
    """Kill the first build or the next ten times, spread over all of it; return how often it was half built.

    After each kill the published file is the old one or the new one, and a rerun ends as if undisturbed.
    """
    shop = Shop(project, f"shop_{build}").open(450)
    as_published = shop.database.with_suffix(".before")
    before: dict[str, tuple] = {}
    if build == "next":
        built = shop.run("build", "--quiet")
        assert built.exit_code == 0, built.printed
        shutil.copy(shop.database, as_published)
        before = shop.tables()

    def take_back() -> None:
        if before:
            shutil.copy(as_published, shop.database)
        else:
            shop.database.unlink()

    shop.open(471)  # the orders of three more weeks
    undisturbed = shop.run("build", "--quiet")
    assert undisturbed.exit_code == 0, undisturbed.printed
    after = shop.tables()
    take_back()
    started = time.monotonic()
    assert shop.run("build", "--quiet").exit_code == 0  # what dbt has read of the project is kept by now
    duration = time.monotonic() - started
    assert shop.tables() == after
    take_back()

    chance = random.Random(f"killed in the {build} build")
    moments = [duration * (number + chance.random()) / ROUNDS for number in range(ROUNDS)]
    chance.shuffle(moments)
    half_built = 0
    for moment in moments:
        while not killed(shop, moment):
            assert shop.tables() == after
            take_back()
            moment *= 0.8  # the machine is faster than it was
        published = as_published.read_bytes() if before else b""
        half_built += not published.startswith(begun(shop))  # more than a copy, or a part of one
        if not shop.database.exists():
            assert not before
        elif shop.database.read_bytes() == published:
            assert shop.tables() == before
        else:
            assert shop.tables() == after
            take_back()
        rerun = shop.run("build", "--quiet")
        assert rerun.exit_code == 0, rerun.printed
        assert (shop.tables(), shop.left_aside) == (after, [])
        take_back()
    assert before != after
    return half_built


@pytest.mark.long
def test_killed_at_twenty_random_moments_it_leaves_the_old_marts_or_the_new_and_a_rerun_succeeds(
    project: Project,
):
    with ThreadPoolExecutor(2) as pool:
        half_built = list(pool.map(lambda build: survive(project, build), ["first", "next"]))
    assert min(half_built) >= HALF_BUILT, half_built


def write(database: Path, value: int, lines: int | None = None) -> None:
    """Publish a value; be killed before so many lines of publishing.py are done."""
    left = lines

    def trace(frame: object, event: str, _: object) -> object:
        nonlocal left
        if frame.f_code.co_filename != publishing.__file__:
            return None
        if event == "line":
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace if lines else None)
    with publishing.aside(database) as copy, duckdb.connect(str(copy)) as connection:
        connection.execute(f"create or replace table published as select {value} as value from range(9999)")


def sees(database: Path, value: int) -> bool:
    """Whether a reader finds the value, and nothing but this value."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute("select distinct value from published").fetchall() == [(value,)]


def forked(action: Callable, *arguments: object) -> int:
    """Return the exit code of a process that does something: what it returns, or 99 if it raises."""
    process = os.fork()
    if not process:
        with suppress(BaseException):
            os._exit(int(action(*arguments) or 0))
        os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def die_at_every_line(database: Path) -> None:
    """Publish 1, 2, 3 ... and be killed one line later each time, until it is done."""
    assert forked(write, database, 0) == 0
    published = 0
    has_published = []
    for number in count(1):
        ended = forked(write, database, number, number)
        is_new = forked(sees, database, number) == 1
        assert is_new or forked(sees, database, published) == 1, f"neither old nor new at line {number}"
        has_published.append(is_new)
        published = number if is_new else published
        if ended == 0:
            break
        assert ended == -signal.SIGKILL, ended
    assert has_published == sorted(has_published), "published, and then not any more"
    assert 0 < sum(has_published) < number and number > 30
    assert forked(write, database, -1) == 0
    assert forked(sees, database, -1) == 1


def test_killed_before_any_line_of_publishing_it_leaves_the_old_or_the_new(tmp_path: Path):
    # in a process without threads, because it forks
    process = PROCESSES.Process(target=die_at_every_line, args=(tmp_path / "shop.duckdb",))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert [path.name for path in (tmp_path / "aside").iterdir()] == ["shop.lock"]
