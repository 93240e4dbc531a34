"""Databases that are read: what is in the way is told as an error that can be mended."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from customer_segmentation.errors import ReadableError

DAMAGED = "Corrupt database file"
INTERRUPTED = "Query interrupted"


class DatabaseError(ReadableError):
    """A database can't be read; the message says why, and what to do."""


def check(database: Path) -> None:
    """Raise DatabaseError if there is no such database."""
    if not database.is_file():
        raise DatabaseError(
            f"There is no database {database} yet. Build it first: segmentation build, with the same --input."
        )


@contextmanager
def opened(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database to be read, and close it.

    Raises DatabaseError if it is not there, is being written, is damaged, or lacks a table or column that is
    read while it is open; KeyboardInterrupt if a query of it is interrupted.
    """
    check(database)
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            connection.execute("set enable_progress_bar = false")
            yield connection
    except (duckdb.InterruptException, RuntimeError) as error:  # DuckDB's way to say it
        if INTERRUPTED not in str(error):
            raise
        raise KeyboardInterrupt from error
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise DatabaseError(f"{database} lacks what is read here. Build it whole.\n{error}") from error
    except duckdb.IOException as error:
        if "Could not set lock" in str(error):
            raise DatabaseError(f"{database} is being written. Try again when that is over.") from error
        raise DatabaseError(f"{database} can't be read: {error}") from error
    except duckdb.Error as error:
        if DAMAGED not in str(error):
            raise
        raise DatabaseError(f"{database} is damaged. Put a copy back, or build anew.\n{error}") from error
