"""What dbt, DuckDB and the system say of a fault, with what to do about it."""

import re
from typing import Any

Event = Any  # of dbt, whose types don't say what is in one

GUIDE = "docs/your_own_data.md"
LOOKING_AT = "Looking at "  # what the macro looking_at() logs before it tries an input
MACROS = re.compile(r"\n\s*\n(?:\s*> (?:in|called by) .*\n?)+")
LINE = re.compile(r"\n\s*\n\s*LINE \d+:.*", re.DOTALL)
OF_NO_USE = re.compile(  # settings that are not ours
    r"\s*Possible solutions:.*?See also https://\S+", re.DOTALL
)
WHEN_WHOLE = """\
Was it being written while the build read it? Write it under another name, and rename it when it is whole."""

# (what the place and the message contain, what to do); the first that fits is told
ADVICE = (
    (
        # so DuckDB says it of a lock of readers; a build opens the published file only to take in a log
        r"Could not set lock on file.*you would be able to open this database in read-only mode",
        "A process that wrote into the database was killed, and somebody still reads it. What was written "
        "can be taken in as soon as nobody does: close the reader that is named below and build again.",
    ),
    (
        r"Could not set lock on file",
        "Another process has the database open for writing (plain dbt, a DuckDB shell). Close it and build "
        "again. Who only reads may stay: duckdb -readonly.",
    ),
    (
        r"No space left on device|File too large|[Qq]uota exceeded|max_temp_directory_size",
        "The disk is full. A build needs room for a second copy of the database, and for what does not fit "
        "into memory. Make room and build again.",
    ),
    (
        r"Out of Memory|Unable to allocate|MemoryError",
        "The build needs more memory than it may take. Allow more, such as SEGMENTATION_MEMORY_LIMIT=8GB "
        "make build (it is 4GB if nothing is said), or look at fewer dates (the variable history_months).",
    ),
    (
        r"\[Errno (1|13|30)\]",
        "A build writes into the folder of its database, and into target and logs of the project. Give its "
        "user the right to, or build as another one.",
    ),
    (
        r'enough bytes from file "[^"]*\.duckdb"|Corrupt database',
        "The published database is damaged. Put a copy of it back and build again.",
    ),
    (
        r"GZIP stream|ZSTD|zlib|inflate",
        f"A compressed file of an input ends too early, or is not compressed. {WHEN_WHOLE} If it was not, "
        "deliver it again, or name it without .gz.",
    ),
    (
        r"magic bytes|a Parquet file|Parquet file|TProtocolException|thrift",
        f"A Parquet file of an input ends too early, or is none. {WHEN_WHOLE} If it was not, deliver it "
        "again, or name it by what it is.",
    ),
    (
        r"decompression failure|Failed to read file",
        "A file of an input is damaged: deliver it again.",
    ),
    (
        r"No files found that match|Could not read enough bytes",
        f"A file of an input is gone, or ends too early. {WHEN_WHOLE}",
    ),
    (
        r"^inputs\..*(Binder|Parser|Catalog) Error",
        f"The SQL there can't be understood; {GUIDE} has examples.",
    ),
    (
        r"(Table|View) with name .* does not exist",
        "Something that it reads was not built yet. Run make build once, or select what it rests on too: "
        '--select "+name".',
    ),
    (
        r"Conversion Error|Could not (parse|convert)|Out of Range Error",
        "An expression of `columns` or `where` met a value that it can't convert. With try_cast and "
        f"try_strptime in place of cast and strptime such rows are rejected; see {GUIDE}.",
    ),
    (
        r"CSV Error",
        f"A CSV file of an input can't be read to its end. {WHEN_WHOLE} If it was not, see {GUIDE}.",
    ),
)


class Place:
    """Follows the events of a run, to say at which part of the variable `inputs` it broke off."""

    def __init__(self) -> None:
        """Nothing is looked at yet."""
        self.name = ""

    def follow(self, event: Event) -> None:
        """Note what is looked at; from the first node on no input is looked at by itself."""
        if event.info.name.startswith("JinjaLog") and event.info.msg.startswith(LOOKING_AT):
            self.name = event.info.msg.removeprefix(LOOKING_AT)
        elif event.info.name == "LogStartLine":
            self.name = ""


def explain(message: str, place: str = "") -> str:
    """Put before a message what to do about it, if that is known, and the place that it is about, if any."""
    message = OF_NO_USE.sub("", MACROS.sub("", message))
    for pattern, advice in ADVICE:
        if re.search(pattern, f"{place}\n{message}", re.DOTALL):
            if place:  # the line that DuckDB shows is one of a query around it
                return f"This is about {place} of your variables. {advice}\n\n{LINE.sub('', message)}"
            return f"{advice}\n\n{message}"
    return message
