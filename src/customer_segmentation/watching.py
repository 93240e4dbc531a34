"""Builds again and again, as `segmentation watch` does, and says what each round changed."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from pathlib import Path

import duckdb

from customer_segmentation import builds, inputs
from customer_segmentation.environment import PROJECT
from customer_segmentation.errors import ReadableError
from customer_segmentation.inputs import Input

LONGEST_PAUSE = 1800  # seconds between two tries of what failed
DECIDING = ("dbt_project.yml", "models/**/*", "macros/**/*", "seeds/reference/*")
ROWS = "select input, rows_in from published.marts.input_reconciliation order by input"

SEGMENTS = """
create or replace table now as
with

latest as (
    select * exclude (as_of_date, moved_by_rule, history_hash, lifetime_revenue)
    from published.segments.segment_history
    where as_of_date = (select max(as_of_date) from published.segments.segment_history)
)

select customer_id, hash(latest) as segments from latest
"""

RESEGMENTED = """
select count(*)
from now
full outer join before on now.customer_id = before.customer_id
where now.segments is distinct from before.segments
"""


def watch(
    name_or_path: str, every: float, say: Callable[[str], None], rounds: Iterator[int] | None = None
) -> None:
    """Build an input every so many seconds, until interrupted; without rounds, for ever.

    A round in which no file of the inputs or of the project has changed is passed over in silence. One that
    fails says why and publishes nothing. It is tried again as soon as a file changes, or else after ever
    longer pauses.
    """
    published = Published()
    built_from = tried = failed = None
    failures, retry_at = 0, 0.0
    warned: set[str] = set()
    for number in rounds or count():
        started = time.monotonic()
        try:
            source = inputs.resolve(name_or_path)
            if not number:
                published.read(source.database)
            found = files(source)
            if (found is None or found != built_from) and (found != tried or started >= retry_at):
                tried, built_from = found, None
                warnings = builds.build(source)
                built_from, failed, failures, retry_at = found, None, 0, 0.0
                changed = published.read(source.database)
                say(f"{_now()}  {changed}; {time.monotonic() - started:.1f} s")
                for warning in sorted(set(warnings) - warned):
                    say(f"Warning: {warning}")
                warned.update(warnings)
        except (ReadableError, duckdb.Error, OSError) as error:
            again = str(error) == failed
            failed = str(error)
            failures += 1
            pause = min(every * 2**failures, LONGEST_PAUSE)
            retry_at = started + pause
            say(f"{_now()}  This round failed{' again' if again else ''}; the next try is in {pause:.0f} s.")
            if not again:
                say(f"{error}\n")
        time.sleep(max(0.0, started + every - time.monotonic()))


def files(source: Input) -> set[tuple[str, int, int]] | None:
    """Return path, size and time of change (ns) of each file that decides about a build.

    None if that can't be said: of inputs that are tables, models or queries.
    """
    mappings = (inputs.project_vars() | source.vars)["inputs"].values()
    if any("file" not in mapping or "://" in str(mapping["file"]) for mapping in mappings):
        return None
    patterns = [*(mapping["file"] for mapping in mappings), *DECIDING]
    root = Path("/")  # a path may be absolute
    found = [path for pattern in patterns for path in root.glob(str(PROJECT / pattern).lstrip("/"))]
    return {(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in found}


class Published:
    """What was published last, as far as it takes to say what a round has changed."""

    def __init__(self) -> None:
        self.memory = duckdb.connect()
        self.rows: dict[str, int] = {}
        self.memory.execute("create table before (customer_id varchar, segments ubigint)")

    def read(self, database: Path) -> str:
        """Read what is published now, and say how it differs from what was read before."""
        if not database.is_file():
            return "nothing is published"
        self.memory.execute(f"attach '{database}' as published (read_only)")
        try:
            rows = dict(self.memory.execute(ROWS).fetchall())
            self.memory.execute(SEGMENTS)
        finally:
            self.memory.execute("detach published")
        ((moved,),) = self.memory.execute(RESEGMENTED).fetchall()
        self.memory.execute("create or replace table before as from now")
        changes = {name: count - self.rows.get(name, 0) for name, count in rows.items()}
        self.rows = rows
        said = ", ".join(f"{name} {change:+,}" for name, change in changes.items() if change)
        return f"rows: {said or 'as many as before'}; customers in other segments: {moved:,}"


def _now() -> str:
    return f"{datetime.now():%Y-%m-%d %H:%M:%S}"
