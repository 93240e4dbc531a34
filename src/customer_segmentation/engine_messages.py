"""What DuckDB says about an input in its own words, with what to do about it."""

import re

GUIDE = "docs/your_own_data.md"
LOOKING_AT = "Looking at "  # what the macro looking_at() logs before it tries an input
MACROS = re.compile(r"\n\s*\n(?:\s*> (?:in|called by) .*\n?)+")
LINE = re.compile(r"\n\s*\n\s*LINE \d+:.*", re.DOTALL)

# (what the message contains, what to do); the first that fits is told
ADVICE = (
    (
        "GZIP stream|ZSTD|zlib|inflate",
        "The compressed file is cut off, or is none: deliver it again, or name it without .gz.",
    ),
    (
        "magic bytes|a Parquet file|Parquet file|TProtocolException|thrift",
        "A file that ends in .parquet must be a whole Parquet file: "
        "deliver it again, or name it by what it is.",
    ),
    (
        "(Binder|Parser|Catalog) Error",
        f"The SQL there can't be understood; {GUIDE} has examples.",
    ),
    (
        "Conversion Error|Could not (parse|convert)|Out of Range Error",
        "An expression of `columns` or `where` met a value that it can't convert. "
        f"With try_cast and try_strptime in place of cast and strptime such rows are rejected; see {GUIDE}.",
    ),
    ("CSV Error", f"A CSV file can't be read to its end. Did it change meanwhile? See {GUIDE}."),
)


class Place:
    """Follows the events of a run, to say at which part of the variable `inputs` it broke off."""

    def __init__(self):
        """Nothing is looked at yet."""
        self.name = ""

    def follow(self, event: object) -> None:
        """Note what is looked at; from the first node on no input is looked at by itself."""
        if event.info.name.startswith("JinjaLog") and event.info.msg.startswith(LOOKING_AT):
            self.name = event.info.msg.removeprefix(LOOKING_AT)
        elif event.info.name == "LogStartLine":
            self.name = ""


def explain(message: str, place: str = "") -> str:
    """Return what dbt or DuckDB said, with what to do about it where that is known."""
    message = MACROS.sub("", message)
    for pattern, advice in ADVICE:
        if re.search(pattern, message):
            if place:  # the line that DuckDB shows is one of a query around it
                message = LINE.sub("", message)
            where = f"This is about {place} of your variables. " if place else ""
            return f"{message}\n\n{where}{advice}"
    return message
