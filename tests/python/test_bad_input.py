"""Bad input in bulk: a row is accepted or rejected with a reason, or the run stops and says what to do."""

import gzip
import json
import re
from collections import Counter
from itertools import zip_longest
from pathlib import Path

import duckdb
import kept
import pytest
from bad_inputs import (
    AS_OF_DATE,
    CONTRACT,
    EXPRESSIONS,
    GOOD,
    TYPED_ORDERS,
    as_csv,
    good_rows,
    parsed,
    readable_files,
    rows,
    text,
    unreadable_files,
    wide_customers,
    write,
)
from conftest import Outcome, Project
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from customer_segmentation.messages import Place, explain

ROWS = rows()
READABLE = readable_files()
UNREADABLE = unreadable_files()
CHECKED = ["--select", "+rejected_rows", "+input_reconciliation"]


def checked(project: Project, folder: Path, **inputs: dict) -> Outcome:
    """Read and check inputs, and nothing more."""
    return project.dbt(folder, "run", *CHECKED, inputs=inputs, as_of_date=AS_OF_DATE)


def reconciled(outcome: Outcome) -> dict[str, tuple[int, int, int]]:
    """Return (rows in, accepted, rejected) of each input, having seen that they add up."""
    counts = {}
    for name, *numbers, is_reconciled in outcome.rows(
        "select input, rows_in, rows_accepted, rows_rejected, is_reconciled from marts.input_reconciliation"
    ):
        assert is_reconciled, (name, numbers)
        if name in CONTRACT:
            counts[name] = tuple(numbers)
    return counts


@pytest.fixture(scope="module")
def judged(project, tmp_path_factory) -> dict[int, frozenset[str]]:
    """Every bad value in every column of all inputs, in one run: the reasons for each case, by its number."""
    folder = tmp_path_factory.mktemp("rows")
    mappings = {}
    for name in GOOD:
        columns = ["case", *CONTRACT[name]["columns"]]
        cases = [case.row | {"case": str(number)} for number, case in enumerate(ROWS) if case.input == name]
        content = as_csv([*good_rows(name), *cases], columns)
        mappings[name] = {"file": write(folder, f"{name}.csv", content)}
    outcome = checked(project, folder, **mappings)
    assert outcome.success, outcome.message
    reasons = dict.fromkeys(range(len(ROWS)), frozenset())
    for row, told in outcome.rows("select row_json, reasons from marts.rejected_rows"):
        reasons[int(json.loads(row)["case"])] = frozenset(told.split(", "))
    for name, (rows_in, _, rejected) in reconciled(outcome).items():
        of_input = [number for number, case in enumerate(ROWS) if case.input == name]
        assert (rows_in, rejected) == (
            len(of_input) + 1,
            sum(reasons[number] != set() for number in of_input),
        )
    return reasons


@pytest.mark.parametrize("name", GOOD)
def test_every_value_is_accepted_or_rejected_for_what_is_wrong_with_it(judged, name: str):
    cases = [(number, case) for number, case in enumerate(ROWS) if case.input == name]
    assert len(cases) > 50
    wrong = {
        str(case): (set(judged[number]), set(case.reasons))
        for number, case in cases
        if judged[number] != case.reasons
    }
    assert wrong == {}


@pytest.fixture(scope="module")
def read(project, tmp_path_factory) -> Outcome:
    """All files that can be read, as one glob; the customer of a row says which file it is of."""
    folder = tmp_path_factory.mktemp("files")
    for number, file in enumerate(READABLE.values()):
        content = file.content.replace(b"c1", f"file{number}".encode())
        write(
            folder,
            f"orders_{number}{file.ending}",
            gzip.compress(content) if file.ending == ".csv.gz" else content,
        )
    wide = write(folder, "customers.csv", wide_customers())
    outcome = checked(project, folder, orders={"file": str(folder / "orders_*")}, customers={"file": wide})
    assert outcome.success, outcome.message
    return outcome


def test_files_of_every_form_are_read_to_their_last_row(read):
    accepted = dict(read.rows("select customer_id, count(*) from staging.stg_orders group by 1"))
    found = {name: accepted.get(f"file{number}", 0) for number, name in enumerate(READABLE)}
    assert found == {name: file.accepted for name, file in READABLE.items()}


def test_rows_of_files_that_cannot_be_used_are_kept_with_the_reason(read):
    expected = Counter()
    for file in READABLE.values():
        expected.update(file.rejected)
    assert Counter(reasons for (reasons,) in read.rows("select reasons from marts.rejected_rows")) == expected
    rows_in, accepted, rejected = reconciled(read)["orders"]
    assert (accepted, rejected) == (sum(file.accepted for file in READABLE.values()), expected.total())
    assert rows_in == accepted + rejected


def test_two_thousand_columns_that_nobody_asked_for_do_no_harm(read):
    assert reconciled(read)["customers"] == (3, 3, 0)


def test_lines_that_an_open_quote_swallowed_are_in_the_rejected_row(read):
    rows = read.rows("select row_json from marts.rejected_rows where reasons = 'broken_row:lines'")
    assert rows and all("lost0" in row and "lost2" in row for (row,) in rows)


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_file_that_cannot_be_read_stops_the_run_and_says_what_to_do(project, tmp_path, kind: str):
    content, ending, words = UNREADABLE[kind]
    outcome = checked(project, tmp_path, orders={"file": write(tmp_path, f"bad{ending}", content)})
    assert not outcome.success
    assert [word for word in words if word not in outcome.message] == [], outcome.message
    assert "Traceback" not in outcome.message


@pytest.mark.parametrize("values", TYPED_ORDERS, ids=str)
def test_types_of_parquet_are_read_for_what_they_are_or_rejected(project, tmp_path, values: tuple[str, ...]):
    columns = ("customer_id", "ordered_at", "amount", "status")
    row = ", ".join(f"{value} as {column}" for value, column in zip(values, columns, strict=True))
    path = tmp_path / "orders.parquet"
    duckdb.sql(f"copy (select {row}) to '{path}'")
    outcome = project.dbt(
        tmp_path,
        "run",
        "--select",
        "+stg_orders",
        inputs={"orders": {"file": str(path)}},
        as_of_date=AS_OF_DATE,
    )
    reasons = TYPED_ORDERS[values]
    if reasons:
        said = re.findall(r"1 row: (\S+), such as", outcome.message)
        assert said == sorted(reasons.split(", "))
    else:
        assert outcome.success, outcome.message
        assert outcome.rows("select customer_id, ordered_at::date::varchar from staging.stg_orders") == [
            ("17850", "2025-01-05")
        ]


@pytest.mark.parametrize("mistake", EXPRESSIONS)
def test_a_mistake_in_an_expression_is_said_with_its_place(project, tmp_path, mistake: str):
    columns, words = EXPRESSIONS[mistake]
    place = Place()
    orders = {"file": write(tmp_path, "orders.csv", text("o").encode()), "columns": columns}
    outcome = project.dbt(
        tmp_path, "run", "--select", "+stg_orders", watch=place.follow, inputs={"orders": orders}
    )
    message = explain(outcome.message, place.name)
    assert not outcome.success
    assert [word for word in words if word not in message] == [], message
    assert "your_own_data.md" in message


MUTATIONS = st.tuples(
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(
        [*'",;|\n\r\t\x00\x80 \u00e9\ufeff', '""', '",', ',"', "\r\n", "", ",,,,,,,,,,,,", "delete", "cut"]
    ),
)


def mutated(content: bytes, mutations: list[tuple[float, str]]) -> bytes:
    """Return a file with pieces put in, taken out, or its end cut off, below the header."""
    for position, piece in mutations:
        begin = content.index(b"\n") + 1
        at = begin + int(position * (len(content) - begin))
        if piece == "delete":
            content = content[:at] + content[at + 1 :]
        elif piece == "cut":
            content = content[: max(at, len(content) // 2)]
        else:
            content = content[:at] + piece.encode("latin-1" if piece == "\x80" else "utf-8") + content[at:]
    return content


@pytest.mark.drawn
@settings(
    deadline=None, derandomize=True, database=None, max_examples=kept.examples(1, 5), phases=[Phase.generate]
)
@given(st.lists(st.lists(MUTATIONS, min_size=1, max_size=3), min_size=40, max_size=40))
def test_whatever_happens_to_a_file_no_row_is_lost_without_a_word(project, tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("mutated")
    good = text("o", 'q1,c1,2025-01-05,1.50,"web, app"', 'q2,c1,2025-01-06,2.50,"5"" pipe"', count=6).encode()
    left = {}
    for number, mutations in enumerate(files):
        name = f"orders_{number:02}.csv"
        left[name] = mutated(good, mutations)
        write(folder, name, left[name])
    while not (outcome := checked(project, folder, orders={"file": str(folder / "orders_*.csv")})).success:
        told = explain(outcome.message)  # DuckDB finds some only while it reads, and says so in its own words
        named = [name for name in left if name in told]
        assert named and "can't be read" in told, told
        for name in named:
            del left[name]
            (folder / name).unlink()
        if not left:
            return
    found = {name: parsed(content) for name, content in left.items()}
    # of a quote within a value readers differ: what swallowed whole lines is rejected with all of them
    swallowed = outcome.rows(
        "select row_json from marts.rejected_rows where reasons like '%broken_row:lines%'"
    )
    lines = sum(
        len(value.splitlines()) - 1 for (row,) in swallowed for value in json.loads(row).values() if value
    )
    missing = sum(len(rows) for rows in found.values()) - reconciled(outcome)["orders"][0]
    assert 0 <= missing <= lines
    delivered = Counter(row[1].strip() for rows in found.values() for row in rows if len(row) > 1)
    used = Counter(customer for (customer,) in outcome.rows("select customer_id from staging.stg_orders"))
    assert not used - delivered


REQUIRED = {
    name: [
        column
        for column, details in definition["columns"].items()
        if details.get("required") and not details.get("may_be_empty")
    ]
    for name, definition in CONTRACT.items()
}
# which columns are useless at once: without orders nothing is looked at, nor are lines without products
USELESS = [
    *([("orders", column)] for column in REQUIRED["orders"]),
    [(name, column) for name in ("customers", "products") for column in REQUIRED[name]],
    *zip_longest(
        *([(name, column) for column in REQUIRED[name]] for name in ("order_items", "events", "consents"))
    ),
]


@pytest.mark.parametrize("columns", USELESS, ids=str)
def test_a_required_column_that_is_of_use_in_no_row_is_the_first_thing_that_is_said(
    project, tmp_path, columns: tuple
):
    useless = dict(filter(None, columns))
    mappings = {}
    for name, good in GOOD.items():
        bad = {}
        if column := useless.get(name):
            bad = {column: "" if CONTRACT[name]["columns"][column]["type"] == "string" else "12/1/10 8:26"}
        content = as_csv([row | bad for row in good_rows(name)], list(good))
        mappings[name] = {"file": write(tmp_path, f"{name}.csv", content)}
    arguments = (
        "build",
        "--exclude-resource-type",
        "unit_test",
        "--indirect-selection",
        "cautious",
        *CHECKED,
    )
    outcome = project.dbt(tmp_path, *arguments, inputs=mappings, fail_if_rejected=0.2)
    failed = re.findall(r"^\w+: (?:error|fail): .*", outcome.message, re.MULTILINE)
    assert len(failed) == len(useless), outcome.message
    for name, column in useless.items():
        problem = "missing" if CONTRACT[name]["columns"][column]["type"] == "string" else "wrong_type"
        assert f"inputs.{name} has 1 row, and it is rejected" in outcome.message
        assert f"  1 row: {problem}:{column}, such as" in outcome.message
