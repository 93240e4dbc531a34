"""What dbt, DuckDB and the system say of something wrong outside the project, and what to do about it."""

import re

ADVICE = {
    r"Could not set lock on file": """\
Another process has the database open for writing (plain dbt, a DuckDB shell). Close it and build again.
Who only reads may stay: duckdb -readonly.""",
    r"No space left on device|File too large|[Qq]uota exceeded|max_temp_directory_size": """\
The disk is full. A build needs room for a second copy of the database, and for what does not fit into
memory. Make room and build again.""",
    r"Out of Memory|Unable to allocate|MemoryError": """\
The build needs more memory than it may take. Allow more, such as SEGMENTATION_MEMORY_LIMIT=8GB make build
(it is 4GB if nothing is said), or look at fewer dates (the variable history_months).""",
    r"\[Errno (1|13|30)\]": """\
A build writes into the folder of its database, and into target and logs of the project. Give its user the
right to, or build as another one.""",
    r'enough bytes from file "[^"]*\.duckdb"|Corrupt database': """\
The published database is damaged. Put a copy of it back and build again.""",
    r"No files found that match|Could not read enough bytes|No magic bytes|be a Parquet|GZIP|zlib": """\
A file of an input is gone, or ends too early. Was it being written while the build read it? Write it under
another name, and rename it when it is whole.""",
}
OF_NO_USE = re.compile(
    r"\s*Possible solutions:.*?See also https://\S+", re.DOTALL
)  # settings that are not ours


def explain(message: str) -> str:
    """Put before a message that is known what to do, and leave any other as it is."""
    told = OF_NO_USE.sub("", message)
    for pattern, advice in ADVICE.items():
        if re.search(pattern, told):
            return f"{advice}\n\n{told}"
    return told
