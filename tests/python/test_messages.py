"""What dbt, DuckDB and the system say is told with one advice, which fits the case."""

import pytest

from customer_segmentation.messages import explain

LOCKED = 'IO Error: Could not set lock on file "a.duckdb": Conflicting lock is held in python (PID 7).'


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (LOCKED, "open for writing"),
        (f"{LOCKED} However, you would be able to open this database in read-only mode", "still reads it"),
        ("[Errno 28] No space left on device: 'a.duckdb'", "The disk is full"),
        ("[Errno 122] Disk quota exceeded", "The disk is full"),
        ("[Errno 30] Read-only file system: 'build/aside'", "Give its user the right"),
        ('IO Error: Could not read enough bytes from file "build/aside/a.duckdb": tried', "is damaged"),
        ('IO Error: Could not read enough bytes from file "a.csv": tried', "is gone, or ends too early"),
        (
            "Invalid Input Error: No magic bytes found at end of file 'a.parquet'",
            "A Parquet file of an input",
        ),
        ("IO Error: Unexpected end of GZIP stream: a.csv.gz", "A compressed file of an input"),
        ("IO Error: Input is not a GZIP stream: a.csv.gz", "name it without .gz"),
        ('IO Error: Failed to read file "a.parquet": Snappy decompression failure', "is damaged"),
        ("Catalog Error: Table with name reject_problems does not exist!", "was not built yet"),
        ("Invalid Input Error: CSV Error on Line: 42407", "A CSV file of an input"),
    ],
)
def test_what_is_known_is_told_with_what_to_do(said: str, told: str):
    advice, *rest = explain(said).split("\n\n")
    assert told in advice
    assert rest == [said]


def test_a_mistake_in_sql_is_one_of_the_variables_only_where_they_are_looked_at():
    said = 'Binder Error: Referenced column "amuont" not found'
    assert explain(said, "inputs.orders.where").startswith(
        "This is about inputs.orders.where of your variables."
    )
    assert explain(said) == said


def test_settings_that_are_not_ours_and_lines_of_a_query_around_it_are_left_out():
    said = (
        "Out of Memory Error: failed\n\nPossible solutions:\n* SET x\nSee also https://duckdb.org\n\n"
        "LINE 1: select\n\n> in macro file_problems (macros/a.sql)\n> called by macro b (macros/b.sql)\n"
    )
    assert explain(said, "inputs.orders").endswith("Out of Memory Error: failed")


def test_what_is_not_known_is_left_as_it_is():
    assert explain("Compilation Error in model a") == "Compilation Error in model a"
