"""What dbt, DuckDB and the system say when something is wrong outside the project, and what to do about it."""

import re

ADVICE = {
    r"Could not set lock on file": (
        "Another process has the database open for writing (plain dbt, a DuckDB shell). Close it and build again; "
        "who only reads may stay, with duckdb -readonly."
    ),
    r"No space left on device|File too large|[Qq]uota exceeded|max_temp_directory_size": (
        "The disk is full. A build needs room for a second copy of the database, and for what does not fit into "
        "memory. Make room, and build again."
    ),
    r"Out of Memory|Unable to allocate|MemoryError": (
        "The build needs more memory than it may take. Allow more, such as SEGMENTATION_MEMORY_LIMIT=8GB "
        "make build (4GB if you say nothing), or look at fewer dates (history_months)."
    ),
    r"Permission denied|Read-only file system|Operation not permitted": (
        "A build writes into its database's folder, and into the project's folders target and logs. Give its user the "
        "right to, or build as another one."
    ),
}


def explain(message: str) -> str:
    """Put what to do before a message that is known, once, and leave any other as it is."""
    for pattern, advice in ADVICE.items():
        if re.search(pattern, message):
            return f"{advice}\n\n{message}"
    return message
