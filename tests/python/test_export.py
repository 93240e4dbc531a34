"""Exports: the marts as they are, whole or not at all, and no cell that a spreadsheet runs."""

import csv
import io
import resource

import duckdb
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from customer_segmentation import cli, export

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8) | st.sampled_from(
    ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\tx", "\rx", "'", "''=1", "a=1", ""]
)


def database(folder, rows=(("a", 1.5),)):
    """Make a database with the mart `customers` of texts and numbers."""
    path = folder / "shop.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        connection.execute('create table marts.customers ("=name" varchar, revenue double)')
        connection.execute("create table marts.segment_kpis (segment varchar)")
        connection.executemany("insert into marts.customers values (?, ?)", rows)
    return path


def cells(path):
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8"), newline="")))


@settings(deadline=None, derandomize=True, database=None, max_examples=40)
@given(st.lists(st.tuples(TEXTS, st.floats(-1e6, 1e6)), min_size=1, max_size=20))
def test_no_text_begins_as_a_formula_and_all_come_back_as_they_were(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("export")
    output = folder / "customers.csv"
    assert export.export(database(folder, rows), "customers", output) == len(rows)
    header, *written = cells(output)
    assert header == ["'=name", "revenue"]
    assert not any(text.startswith(export.FORMULA_STARTS) for text, _ in written)
    assert [(export.original(text), float(number)) for text, number in written] == rows
    assert [text for text, _ in written] == [export.neutralised(text) for text, _ in rows]


def test_numbers_below_zero_stay_numbers(tmp_path):
    output = tmp_path / "customers.csv"
    export.export(database(tmp_path, [("a", -2.5)]), "customers", output)
    assert cells(output)[1] == ["a", "-2.5"]


def test_parquet_is_the_mart_as_it_is(tmp_path):
    output = tmp_path / "customers.parquet"
    export.export(database(tmp_path, [("=a", -2.5), ("b", 1.0)]), "customers", output, where="revenue < 0")
    assert duckdb.sql(f"from '{output}'").fetchall() == [("=a", -2.5)]
    assert duckdb.sql(f"from '{output}'").columns == ["=name", "revenue"]


MISTAKES = {
    "a mart that is not there": (["custmers"], ["'custmers'", "Did you mean customers?"]),
    "a name with a quote": (['cust"; drop'], ["There is no mart"]),
    "a condition with a typing error": (["customers", "--where", "revnue > 1"], ["revnue", "=name, revenue"]),
    "an unknown function": (["customers", "--where", "foo(revenue)"], ["is no condition", "foo"]),
    "a condition that is none": (["customers", "--where", "1) union (select"], ["is no condition"]),
    "more than a condition": (
        ["customers", "--where", "1=1) union all (select * from marts.customers where (1=1"],
        ["is no condition on customers", "look near"],
    ),
    "a condition on other rows": (
        ["customers", "--where", "revenue > (select avg(revenue) from marts.customers)"],
        ["it looks at other rows: compare the columns of one"],
    ),
    "a condition that nothing meets": (
        ["customers", "--where", "revenue = null"],
        ["nothing compares with null: write `is null`"],
    ),
    "a condition that can't convert": (
        ["customers", "--where", 'cast("=name" as int) = 1'],
        ["is no condition"],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_said_and_leaves_the_file_that_was_there(tmp_path, mistake: str):
    arguments, words = MISTAKES[mistake]
    output = tmp_path / "out.csv"
    output.write_text("before", encoding="utf-8")
    command = ["export", *arguments, "--input", str(database(tmp_path)), "--output", str(output)]
    outcome = CliRunner().invoke(cli.main, command)
    assert outcome.exit_code == 1
    assert [word for word in words if word not in outcome.output] == [], outcome.output
    assert output.read_text(encoding="utf-8") == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "shop.duckdb"]


def test_a_row_for_which_the_condition_has_no_value_is_left_out(tmp_path):
    output = tmp_path / "customers.csv"
    shop = database(tmp_path, [("a", 0), ("b", 2)])
    assert export.export(shop, "customers", output, where="1 / revenue > 0 -- of each") == 1
    assert cells(output)[1] == ["b", "2.0"]


@pytest.mark.parametrize("where", [None, "revenue > 0"])
def test_a_full_disk_is_said_and_not_put_down_to_the_condition(tmp_path, where: str | None):
    shop = database(tmp_path, [("a", number + 0.5) for number in range(2000)])
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))  # no file may grow beyond 1,000 bytes
    try:
        with pytest.raises(export.ExportError, match=r"out\.csv can't be written") as failure:
            export.export(shop, "customers", tmp_path / "out.csv", where)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))
    assert "File too large" in str(failure.value) and "--where" not in str(failure.value)
    assert [path.name for path in tmp_path.iterdir()] == ["shop.duckdb"]


@pytest.mark.parametrize("name", ["customers.xlsx", "nowhere/customers.csv"])
def test_a_file_that_cannot_be_written_is_said(tmp_path, name: str):
    with pytest.raises(export.ExportError, match=r"must end in|no folder"):
        export.export(database(tmp_path), "customers", tmp_path / name)
