"""Builds a database beside the published one and puts it in its place in one step.

Who reads the published file sees what was there before, or all that is new. A build that fails, is
interrupted or killed, at whatever moment, leaves it as it was. Why and at what price:
docs/decisions/publishing.md.
"""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import duckdb

from customer_segmentation.errors import ReadableError

FOLDER = "aside"
CHUNK = 16 * 1024 * 1024
FICLONE = 0x40049409  # of linux/fs.h: the copy shares the blocks of the original until one of them changes


class PublishingError(ReadableError):
    """The published database can't be continued or replaced now; the message says why."""


@contextmanager
def aside(database: Path, *, keep: bool = False) -> Iterator[Path]:
    """Yield the path of a copy of the database to build on, and publish it if the block ends well.

    The copy has the same name in a folder beside, because DuckDB names the catalogue after the file and views
    store that name. Where nothing is published yet there is no copy, and what is built at its path is
    published. If the block raises, the copy is removed, unless it is to be kept.

    Raises PublishingError if another build has the database, the published file is damaged, or nothing can be
    put in its place; OSError and duckdb.Error as they come.
    """
    published = database.resolve()
    folder = published.parent / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(published.parent, os.W_OK):  # else it would be noticed when all is built
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(published.parent))
    if folder.stat().st_dev != published.parent.stat().st_dev:
        raise PublishingError(
            f"{folder} is on another disk than {published.parent}: nothing can be published from there in "
            "one step. Make it a plain folder, neither a link nor a mount, and build again."
        )
    copy = folder / database.name
    lock = folder / f"{published.stem}.lock"
    with _only_build(lock, database), _closed_to_writers(published, database) as file:
        try:
            _remove(copy)  # what a killed build has left
            if file:
                _copy(file, copy)
                _open(copy, database)
            _check_place(published, file)
            yield copy
            _settle(copy)
            _check_place(published, file)
            copy.replace(published)
            _sync(published.parent)
        except BaseException:
            if not keep:
                _remove(copy)
            raise


@contextmanager
def _only_build(lock: Path, database: Path) -> Iterator[None]:
    """Hold the lock of a database. The kernel releases it when the process ends, however it ends."""
    with lock.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise PublishingError(
                f"{database} is being built already{file.read()}. Wait for that build, or end it."
            ) from None
        file.truncate(0)
        file.write(f", by process {os.getpid()} since {datetime.now():%Y-%m-%d %H:%M:%S}")
        file.flush()
        yield


@contextmanager
def _closed_to_writers(published: Path, database: Path) -> Iterator[BinaryIO | None]:
    """Hold the lock on the published file that a reader holds: what others wrote into it now would be lost.

    Such a lock is gone as soon as the process closes any descriptor of the file, so nothing else may open it
    until it is replaced.
    """
    if not published.exists():
        yield None
        return
    if _log(published).exists():  # takes in what a killed writer had committed
        _open(published, database)
    with published.open("rb") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            duckdb.connect(str(published), read_only=True).close()  # its error says who the writer is
            raise
        yield file


def _copy(file: BinaryIO, copy: Path) -> None:
    with copy.open("wb") as target:
        try:
            fcntl.ioctl(target, FICLONE, file.fileno())
        except OSError:  # another file system
            shutil.copyfileobj(file, target, CHUNK)
    copy.chmod(os.fstat(file.fileno()).st_mode & 0o777)


def _open(path: Path, database: Path) -> None:
    """Prove that a file can be opened, and that this process has no older one of its path still open."""
    try:
        with duckdb.connect(str(path)) as connection:
            connection.execute("checkpoint")
    except duckdb.Error as error:
        if "Could not set lock" in str(error):
            raise
        log = _log(path)
        with_log = f" Move {log.name} with it, or alone if it is of another database." if log.exists() else ""
        raise PublishingError(
            f"{database} holds your published history and can't be read: it is damaged, or no DuckDB "
            "database. Put a copy of it back and build again. If there is none, move it away: the next build "
            f"then begins a new history.{with_log}\n{error}"
        ) from error


def _check_place(published: Path, file: BinaryIO | None) -> None:
    """Prove that nothing would be lost, nor make what is published unreadable, if it were published now."""
    if published.exists() and not (file and os.path.samestat(published.stat(), os.fstat(file.fileno()))):
        raise PublishingError(
            f"{published} was made by another process (plain dbt, a DuckDB shell) while this build ran, and "
            "is left as it is. Build again, which continues it, or move it away first."
        )
    if _log(published).exists():
        raise PublishingError(
            f"{_log(published)} is the log of a database that is not there any more. No other could be read "
            "beside it. Put that database back, or move its log away as well, and build again."
        )


def _log(database: Path) -> Path:
    """Return where DuckDB keeps what is committed and not yet in the file."""
    return database.with_name(f"{database.name}.wal")


def _settle(copy: Path) -> None:
    """Bring all that was built into the one file, and the file onto the disk."""
    with duckdb.connect(str(copy)) as connection:
        connection.execute("checkpoint")
    beside = [path.name for path in copy.parent.glob(f"{copy.name}?*")]
    if beside:
        raise PublishingError(f"{copy} is not whole without {', '.join(beside)}: is it open elsewhere?")
    _sync(copy)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(copy: Path) -> None:
    for path in copy.parent.glob(f"{copy.name}*"):  # with its log and what was spilled
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()
