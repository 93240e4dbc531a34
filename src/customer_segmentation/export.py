"""Marts as files for other tools: Parquet, or CSV in which a spreadsheet takes no text for a formula."""

import tempfile
from pathlib import Path

import duckdb

from customer_segmentation import databases
from customer_segmentation.definitions.conditions import ConditionError, as_filter
from customer_segmentation.errors import ReadableError, unknown

SCHEMA = "marts"
# a cell that begins with one of these may be run as a formula:
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
MARK = "'"


class ExportError(ReadableError):
    """The export can't be made; the message says what to do."""


def export(database: Path, table: str, output: Path, where: str | None = None) -> int:
    """Write the rows of a mart to a .csv or .parquet file and return how many there are.

    The file appears when it is whole: a temporary one beside it takes its name at the end. CSV is UTF-8 with
    a header; texts that a spreadsheet would take for a formula begin with an apostrophe there, numbers and
    dates stay as they are, and an absent value is an empty cell. Raises ExportError.
    """
    if output.suffix not in (".csv", ".parquet"):
        raise ExportError(f"{output.name} must end in .csv or .parquet.")
    databases.check(database)
    if not output.parent.is_dir():
        raise ExportError(f"There is no folder {output.parent} to write {output.name} into.")
    with databases.opened(database) as connection:
        columns = _columns(connection, table)
        try:
            condition = as_filter(where) if where else None
            with tempfile.TemporaryDirectory(prefix=".export-", dir=output.parent) as folder:
                unfinished = Path(folder) / output.name
                count = _write(connection, table, columns, condition, unfinished)
                unfinished.replace(output)
        except (ConditionError, duckdb.Error, OSError) as error:
            if not where or isinstance(error, (duckdb.OperationalError, OSError)):
                raise ExportError(
                    f"{output} can't be written, for which {output.parent} must have room and give you the "
                    f"right: {error}"
                ) from error
            raise ExportError(
                f"--where {where!r} is no condition on {table}: {error}\n\n"
                f"Its columns are {', '.join(columns)}."
            ) from error
    return count


def neutralised(text: str) -> str:
    """Return a text as a cell that no spreadsheet runs: with an apostrophe in front where it might.

    A text that begins with an apostrophe gets one more, so that original() takes back exactly what was added.
    """
    return MARK + text if text.startswith((*FORMULA_STARTS, MARK)) else text


def original(cell: str) -> str:
    """Return the text that neutralised() was given."""
    return cell.removeprefix(MARK)


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Return {column: type} of a mart."""
    rows = connection.execute(
        "select table_name, column_name, data_type from information_schema.columns "
        "where table_schema = ? order by table_name, ordinal_position",
        [SCHEMA],
    ).fetchall()
    columns = {column: kind for name, column, kind in rows if name == table}
    if not columns:
        raise ExportError(unknown("mart", table, sorted({name for name, _, _ in rows})))
    return columns


def _write(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: dict[str, str],
    where: str | None,
    path: Path,
) -> int:
    relation = f"{SCHEMA}.{_quoted(table)}" + (f"\nwhere (\n{where}\n)" if where else "")
    is_csv = path.suffix == ".csv"
    selected = ", ".join(
        f"{_neutralised_sql(_quoted(name)) if is_csv and kind == 'VARCHAR' else _quoted(name)} "
        f"as {_quoted(neutralised(name) if is_csv else name)}"
        for name, kind in columns.items()
    )
    options = (
        "format csv, header true, delimiter ',', quote '\"', escape '\"'" if is_csv else "format parquet"
    )
    target = str(path).replace("'", "''")
    ((rows,),) = connection.execute(
        f"copy (select {selected} from {relation}) to '{target}' ({options})"
    ).fetchall()
    return int(rows)


def _neutralised_sql(column: str) -> str:
    """Return the SQL of neutralised() over a column."""
    codes = ", ".join(f"chr({ord(start)})" for start in (*FORMULA_STARTS, MARK))
    return f"case when left({column}, 1) in ({codes}) then chr({ord(MARK)}) || {column} else {column} end"


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
