"""What DuckDB says about an input in its own words, with what to do about it."""

import re

GUIDE = "docs/your_own_data.md"

# (what DuckDB's message contains, what to do); the first that fits is told
ADVICE = [
    (r"Could not set lock on file", "Another process has the database open (a build, a dashboard, a DuckDB shell). Close it and build again."),
    (r"GZIP stream|ZSTD|zlib|inflate", "A compressed file of an input is cut off, or is not what its name says: deliver it again, or name it without .gz."),
    (r"No magic bytes|too small to be a Parquet file|Parquet file|TProtocolException|Invalid thrift", "A file of an input ends in .parquet and is not a whole Parquet file: deliver it again, or give it the ending that it should have."),
    (r"(Binder|Parser|Catalog) Error.*-- inputs\.", "An expression of the variable `inputs` can't be understood. The comment at the end of the line above says which one; {guide} has examples."),
    (r"-- inputs\.", "Something is wrong with the variable `inputs`, where the comment at the end of the line above says; see {guide}."),
    (r"Conversion Error|Could not (parse|convert)|Out of Range Error|Overflow", "An expression under `columns` or `where` met a value that it can't convert, and that stops a build. With try_cast and try_strptime in place of cast and strptime such rows are rejected instead; see {guide}."),
    (r"CSV Error", "A CSV file of an input can't be read to its end: did it change while it was read? Otherwise see {guide}."),
]  # fmt: skip


def explain(message: str) -> str:
    """Return a message of the engine with what to do about it, where that is known; other messages as they are."""
    for pattern, advice in ADVICE:
        if re.search(pattern, message, re.DOTALL):
            return f"{message}\n\n{advice.format(guide=GUIDE)}"
    return message
