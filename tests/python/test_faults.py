"""Full disks, too little memory, other processes, broken files: a message that helps, and nothing is lost."""

import ctypes
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb
import pytest
from conftest import Project
from processes import Ended, Shop

from customer_segmentation import builds, inputs, messages, publishing, watching

STAGING = ("build", "--select", "staging", "--quiet")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A small shop, built as far as the tests build it again."""
    shop = Shop(Project(tmp_path_factory.mktemp("faults") / "copy"), "shop").open()
    settings = shop.project.root / "dbt_project.yml"
    only_tests_of_what_is_built = "flags:\n  indirect_selection: cautious\n"
    text = settings.read_text(encoding="utf-8").replace("flags:\n", only_tests_of_what_is_built)
    settings.write_text(text, encoding="utf-8")
    ended = shop.run("build", "--select", "+input_reconciliation +fit_clusters", "--quiet")
    assert ended.exit_code == 0, ended.printed
    return shop


@pytest.fixture
def failed(shop: Shop):
    """Run a command that must fail, publish nothing, leave nothing, and say what to do."""

    def run(*arguments: str, before: Callable | None = None, says: str) -> Ended:
        published = shop.database.read_bytes()
        ended = shop.run(*arguments, before=before)
        assert ended.exit_code == 1, ended.printed
        assert shop.database.read_bytes() == published
        assert shop.left_aside == []
        told = " ".join(ended.printed.split())
        assert says in told, ended.printed
        assert f"{shop.database} is as it was." in told
        assert "Traceback" not in told or "Python model failed" in told  # whose error is the model's own
        return ended

    yield run
    shop.open()


@contextmanager
def opened(database: Path, mode: str = "") -> Iterator[int]:
    """Another process that has the database open."""
    code = f"import duckdb; c = duckdb.connect({str(database)!r}{mode}); print('open', flush=True); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process.pid
        process.kill()


def limit_files(size: int) -> None:
    """Let no file of this process grow beyond a size in bytes, as if the disk were full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def on_node(name: str, action: Callable, *arguments: object) -> None:
    """Do something when dbt comes to a node."""
    from customer_segmentation import builds

    follow = builds._Progress.follow

    def act_and_follow(self: object, event: object) -> None:
        if event.info.name == "LogStartLine" and event.data.node_info.node_name == name:
            action(*arguments)
        follow(self, event)

    builds._Progress.follow = act_and_follow


def cut(path: Path) -> None:
    """Leave the first half of a file."""
    os.truncate(path, path.stat().st_size // 2)


def raise_in_fits() -> None:
    """Make the fit of clusters raise an error that nobody expected."""
    from customer_segmentation import clusters

    def fit_table(*_: object) -> None:
        raise ZeroDivisionError("nobody expected this")

    clusters.fit_table = fit_table


def allow_little_memory() -> None:
    """Allow less memory than any build needs."""
    os.environ["SEGMENTATION_MEMORY_LIMIT"] = "4MB"


def interrupt() -> None:
    """Do what Ctrl-C does."""
    os.kill(os.getpid(), signal.SIGINT)


def give_up_rights() -> None:
    """Drop the capabilities of root, for whom no folder is read-only; capget(2) describes the numbers."""
    if os.getuid() == 0:
        version_and_process, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        assert ctypes.CDLL(None).capset(version_and_process, none) == 0


@pytest.mark.parametrize("room", ["for the copy", pytest.param("for what is built", marks=pytest.mark.long)])
def test_a_full_disk_is_told_and_nothing_is_lost(shop: Shop, failed, room: str):
    size = shop.database.stat().st_size
    limit = size // 2 if room == "for the copy" else size
    failed(*STAGING, before=partial(limit_files, limit), says="The disk is full. A build needs room")


def test_too_little_memory_is_told_with_the_variable_that_allows_more(failed):
    ended = failed(*STAGING, before=allow_little_memory, says="SEGMENTATION_MEMORY_LIMIT=8GB make build")
    assert "Possible solutions" not in ended.printed


def test_a_second_build_ends_at_once_and_names_the_first(shop: Shop, failed):
    first = shop.start("build", "--quiet")
    lock = shop.database.parent / "aside" / "shop.lock"
    while f"process {first.process.pid} " not in lock.read_text(encoding="utf-8"):
        time.sleep(0.01)
    second = shop.run("build", "--quiet")
    first.kill()
    first.wait()
    assert second.exit_code == 1
    told = rf"is being built already, by process {first.process.pid} since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\."
    assert re.search(told, second.printed), second.printed
    assert shop.run(*STAGING).exit_code == 0, "the lock was not released"


def test_a_reader_keeps_what_it_opened_and_hinders_nobody(shop: Shop):
    before = shop.database.stat().st_ino
    with (
        duckdb.connect(str(shop.database), read_only=True) as reader,
        opened(shop.database, ", read_only=True"),
    ):
        rows = reader.execute("select count(*) from staging.stg_orders").fetchall()
        shop.open(200)
        ended = shop.run(*STAGING)
        assert ended.exit_code == 0, ended.printed
        assert reader.execute("select count(*) from staging.stg_orders").fetchall() == rows
    assert shop.database.stat().st_ino != before
    with duckdb.connect(str(shop.database), read_only=True) as reader:
        assert reader.execute("select count(*) from staging.stg_orders").fetchall() < rows
    shop.open()


def test_a_writer_is_named_and_loses_nothing(shop: Shop, failed):
    with opened(shop.database) as writer:
        says = "Another process has the database open for writing (plain dbt, a DuckDB shell). Close it"
        assert f"(PID {writer})" in failed(*STAGING, says=says).printed


def test_nobody_can_write_while_a_build_holds_the_published_file(tmp_path: Path):
    database = tmp_path / "shop.duckdb"
    duckdb.connect(str(database)).close()
    code = f"import duckdb; duckdb.connect({str(database)!r})"
    with publishing.aside(database):
        refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert "Could not set lock on file" in refused.stderr
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_input_that_vanishes_in_mid_build_is_told(shop: Shop, failed):
    vanish = partial(on_node, "input_orders", os.remove, shop.orders)
    failed(*STAGING, before=vanish, says="A file of an input is gone, or ends too early.")


@pytest.mark.parametrize(
    ("ending", "says"),
    [
        (".parquet", "A Parquet file of an input ends too early"),
        pytest.param(".csv.gz", "A compressed file of an input ends too early", marks=pytest.mark.long),
    ],
)
def test_an_input_that_is_cut_in_mid_build_is_told_with_one_advice(
    shop: Shop, failed, ending: str, says: str
):
    delivered = shop.orders.with_suffix(ending)
    duckdb.sql(f"copy (from read_csv('{shop.orders}')) to '{delivered}'")
    shop.vars_file.write_text(
        shop.vars_file.read_text(encoding="utf-8").replace(str(shop.orders), str(delivered)), encoding="utf-8"
    )
    ended = failed(*STAGING, before=partial(on_node, "input_orders", cut, delivered), says=says)
    assert ended.printed.count("when it is whole.") == 1


def test_an_input_that_is_cut_between_two_looks_is_not_reconciled_and_not_published(shop: Shop, failed):
    node = "input_reconciliation"
    failed(
        "build", "--select", f"+{node}", "--quiet", before=partial(on_node, node, cut, shop.orders), says=node
    )


def test_a_fit_that_raises_is_named_with_its_error(failed):
    arguments = ("build", "--select", "fit_clusters", "--quiet")
    ended = failed(*arguments, before=raise_in_fits, says="fit_clusters (models/fits/fit_clusters.py)")
    assert "nobody expected this" in ended.printed


def test_an_interrupted_build_says_so_and_leaves_nothing(shop: Shop):
    published = shop.database.read_bytes()
    run = shop.start("build", before=partial(on_node, "checked_orders", interrupt))
    ended = run.wait()
    assert ended.exit_code == 130, ended.printed
    assert ended.printed.rstrip().endswith(f"Interrupted. {shop.database} is as it was.")
    assert "Traceback" not in ended.printed
    assert shop.database.read_bytes() == published
    assert shop.left_aside == []


def test_an_interrupt_after_publishing_does_not_say_that_all_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def settle(path: Path) -> None:
        if path == tmp_path / "build":  # the last thing that is done, after the rename
            raise KeyboardInterrupt

    def run_dbt(database: Path, *_: object) -> tuple[list, list]:
        duckdb.connect(str(database)).close()
        return [], []

    (tmp_path / "dbt_project.yml").write_text("vars: {}", encoding="utf-8")
    monkeypatch.setattr(inputs, "PROJECT", tmp_path)
    monkeypatch.setattr(publishing, "_sync", settle)
    monkeypatch.setattr(builds, "_run_dbt", run_dbt)
    for _ in ("the first build", "the next"):
        with pytest.raises(KeyboardInterrupt, match=r"shop\.duckdb is new\.$"):
            builds.build(inputs.Input("shop"))


def test_a_read_only_folder_is_told_before_anything_is_built(shop: Shop, failed):
    folder = shop.database.parent
    folder.chmod(0o555)
    failed(*STAGING, before=give_up_rights, says=f"as another one. [Errno 13] Permission denied: '{folder}'")
    folder.chmod(0o755)


def test_an_export_into_a_read_only_folder_is_told(shop: Shop):
    folder = shop.project.root / "exports"
    folder.mkdir()
    folder.chmod(0o555)
    arguments = ("export", "input_reconciliation", "--output", str(folder / "out.csv"))
    ended = shop.run(*arguments, before=give_up_rights)
    assert ended.exit_code == 2
    assert "out.csv can't be written" in ended.printed and "Permission denied" in ended.printed
    assert "Traceback" not in ended.printed


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no other disk")
def test_a_folder_on_another_disk_is_told_before_anything_is_built(tmp_path: Path):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        (tmp_path / "aside").symlink_to(elsewhere)
        database = tmp_path / "shop.duckdb"
        told = pytest.raises(publishing.PublishingError, match="is on another disk")
        with told, publishing.aside(database):
            pytest.fail("it began to build")


@pytest.mark.parametrize("damage", ["cut", "overwritten", "empty"])
def test_a_damaged_history_is_told_and_not_replaced(shop: Shop, failed, damage: str):
    whole = shop.database.read_bytes()
    if damage == "cut":
        cut(shop.database)
    else:
        shop.database.write_bytes(b"" if damage == "empty" else b"no database" + whole[11:])
    failed("build", "--quiet", says="damaged")
    shop.database.write_bytes(whole)


def test_what_a_failing_build_has_built_is_kept_if_wanted(shop: Shop):
    shop.orders.write_text("nothing,of,use\n1,2,3\n", encoding="utf-8")
    ended = shop.run(*STAGING, "--keep")
    assert ended.exit_code == 1
    aside = shop.database.parent / "aside" / shop.database.name
    assert f"What was built so far: {aside}." in ended.printed
    assert shop.left_aside == [aside.name]
    assert shop.open().run(*STAGING).exit_code == 0
    assert shop.left_aside == []


def kill_writer(database: Path) -> Path:
    """Write into a database and be killed; return the log that is left."""
    query = "create table t as select 7 as a"
    code = f"import duckdb, os; c = duckdb.connect({str(database)!r}); c.execute({query!r})"
    subprocess.run([sys.executable, "-c", f"{code}; os.kill(os.getpid(), 9)"])
    log = database.with_name(f"{database.name}.wal")
    assert log.exists()
    return log


def build_anew(database: Path) -> list[tuple]:
    """Publish a table beside what is there, and return the names of all."""
    with publishing.aside(database) as copy, duckdb.connect(str(copy)) as connection:
        connection.execute("create table built (a integer)")
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute("show tables").fetchall()


def test_what_a_killed_writer_had_committed_is_continued(tmp_path: Path):
    database = tmp_path / "shop.duckdb"
    log = kill_writer(database)
    assert build_anew(database) == [("built",), ("t",)]
    assert not log.exists()


def test_a_reader_in_the_way_of_a_killed_writers_log_is_named_as_a_reader(tmp_path: Path):
    database = tmp_path / "shop.duckdb"
    kill_writer(database)
    with opened(database, ", read_only=True") as reader, pytest.raises(duckdb.IOException) as failure:
        build_anew(database)
    told = messages.explain(str(failure.value))
    assert "was killed, and somebody still reads it" in told and f"(PID {reader})" in told
    assert build_anew(database) == [("built",), ("t",)]


@pytest.mark.parametrize("damage", ["cut", "overwritten", "empty", "of another database"])
def test_a_damaged_history_with_a_log_is_told_and_left_as_it_is(tmp_path: Path, damage: str):
    database, other = tmp_path / "shop.duckdb", tmp_path / "other.duckdb"
    log = kill_writer(database)
    if damage == "cut":
        cut(database)
    elif damage == "of another database":
        duckdb.connect(str(other)).close()
        other.replace(database)
    else:
        database.write_bytes(b"" if damage == "empty" else b"no database")
    before = database.read_bytes(), log.read_bytes()
    with pytest.raises(publishing.PublishingError, match="can't be read: it is damaged") as failure:
        build_anew(database)
    assert "Move shop.duckdb.wal with it, or alone if it is of another database." in str(failure.value)
    assert (database.read_bytes(), log.read_bytes()) == before


@pytest.mark.parametrize("moment", ["before the build", "during the build"])
def test_nothing_is_published_beside_the_log_of_another_database(tmp_path: Path, moment: str):
    database = tmp_path / "shop.duckdb"
    if moment == "before the build":
        log = kill_writer(database)
        database.unlink()
    told = pytest.raises(publishing.PublishingError, match="is the log of a database")
    with told, publishing.aside(database) as copy:
        assert moment == "during the build"
        duckdb.connect(str(copy)).close()
        log = kill_writer(database)
        database.unlink()
    assert sorted(path.name for path in tmp_path.glob("*.duckdb*")) == [log.name]
    log.unlink()  # as it says
    assert build_anew(database) == [("built",)]


@pytest.mark.parametrize("moment", ["the first build", "after the published file was moved away"])
def test_a_database_that_appears_while_a_build_runs_is_not_overwritten(tmp_path: Path, moment: str):
    database = tmp_path / "shop.duckdb"
    if moment != "the first build":
        build_anew(database)
    told = pytest.raises(publishing.PublishingError, match="made by another process")
    with told, publishing.aside(database) as copy:
        duckdb.connect(str(copy)).close()
        database.unlink(missing_ok=True)
        duckdb.connect(str(database)).execute("create table theirs (a integer)").close()
    assert build_anew(database) == [("built",), ("theirs",)]


def test_a_database_keeps_its_rights_and_the_disk_that_a_link_points_to(tmp_path: Path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "build").mkdir()
    database, link = tmp_path / "disk" / "shop.duckdb", tmp_path / "build" / "shop.duckdb"
    duckdb.connect(str(database)).close()
    database.chmod(0o640)
    link.symlink_to(database)
    with publishing.aside(link) as copy:
        duckdb.connect(str(copy)).execute("create table t (a integer)").close()
    assert link.is_symlink()
    assert database.stat().st_mode & 0o777 == 0o640
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("from t").fetchall() == []


def publish(database: Path, segments: dict[str, str], **rows_in: int) -> None:
    """Write of a database what `watch` reads: who is in which segment, and how many rows came in."""
    rows = ", ".join(
        f"('{customer}', date '2026-01-31', '{segment}', '', 1, 1)" for customer, segment in segments.items()
    )
    inputs_in = ", ".join(f"('{name}', {count})" for name, count in rows_in.items())
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema if not exists marts; create schema if not exists segments")
        connection.execute(
            "create or replace table segments.segment_history as from (values "
            f"{rows}) as rows (customer_id, as_of_date, rfm, moved_by_rule, history_hash, lifetime_revenue)"
        )
        connection.execute(
            "create or replace table marts.input_reconciliation as "
            f"from (values {inputs_in}) as rows (input, rows_in)"
        )


def test_watching_builds_what_changed_says_whom_it_moved_and_survives_a_round_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(watching, "PROJECT", tmp_path)
    monkeypatch.setattr(inputs, "PROJECT", tmp_path)
    (tmp_path / "build").mkdir()
    (tmp_path / "dbt_project.yml").write_text("vars: {inputs: {}}", encoding="utf-8")
    orders, vars_file = tmp_path / "orders.csv", tmp_path / "shop.yml"
    orders.write_text("1", encoding="utf-8")
    vars_file.write_text("inputs: {orders: {file: orders.csv}}", encoding="utf-8")
    database = tmp_path / "build" / "shop.duckdb"
    publish(database, {"a": "new", "b": "new"}, orders=1200, events=9)

    def fail() -> None:
        raise builds.BuildError("the disk is full")

    results = iter(
        [
            lambda: publish(database, {"a": "new", "b": "loyal", "c": "new"}, orders=2300, events=8),
            fail,
            fail,
            lambda: None,
        ]
    )
    monkeypatch.setattr(builds, "build", lambda source: next(results)() or ["a warning"])

    def rounds() -> Iterator[int]:
        yield 0  # builds
        yield 1  # finds nothing new
        orders.write_text("12", encoding="utf-8")
        yield from (2, 3, 4)  # fails, fails again, builds
        yield 5  # finds nothing new

    said: list[str] = []
    watching.watch(str(vars_file), 0, said.append, rounds())
    lines = [re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  |; \d+\.\d s$", "", line) for line in said]
    assert lines == [
        "rows: events -1, orders +1,100; customers in other segments: 2",
        "Warning: a warning",
        "This round failed; the next try is in 0 s.",
        "the disk is full\n",
        "This round failed again; the next try is in 0 s.",
        "rows: as many as before; customers in other segments: 0",
    ]
    assert next(results, None) is None


def test_what_failed_is_tried_again_when_a_file_changes_and_not_at_every_look(tmp_path: Path, monkeypatch):
    orders, vars_file = tmp_path / "orders.csv", tmp_path / "shop.yml"
    orders.write_text("1", encoding="utf-8")
    vars_file.write_text("inputs: {orders: {file: orders.csv}}", encoding="utf-8")
    monkeypatch.setattr(inputs, "PROJECT", tmp_path)
    monkeypatch.setattr(watching, "PROJECT", tmp_path)
    (tmp_path / "dbt_project.yml").write_text("vars: {inputs: {}}", encoding="utf-8")
    monkeypatch.setattr(watching.time, "sleep", lambda seconds: None)
    tries = []

    def fail(source: object) -> None:
        tries.append(orders.read_text(encoding="utf-8"))
        raise builds.BuildError("the file is broken")

    monkeypatch.setattr(builds, "build", fail)

    def rounds() -> Iterator[int]:
        yield from (0, 1, 2)
        orders.write_text("12", encoding="utf-8")
        yield from (3, 4)

    watching.watch(str(vars_file), 60, lambda line: None, rounds())
    assert tries == ["1", "12"]


def test_watching_inputs_that_are_no_files_builds_in_each_round(tmp_path: Path):
    table = inputs.Input("shop", {"inputs": {"orders": {"table": "erp.orders"}}})
    assert watching.files(table) is None


def test_watching_ends_with_an_interrupt_and_without_an_error(shop: Shop):
    watched = Shop(shop.project, "watched").open()
    ended = watched.run("watch", "--every", "60", before=partial(on_node, "input_orders", interrupt))
    assert ended.exit_code == 0, ended.printed
    assert ended.printed.endswith("Stopped. Nothing is published.\n")
