"""The command line: inputs by name and path, messages that help, the contract's page."""

import json
from datetime import datetime
from importlib import metadata
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from customer_segmentation import contract, inputs
from customer_segmentation.cli import main


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def vars_file(tmp_path: Path):
    def write(text: str, name: str = "my_shop.yml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_demo_is_what_the_project_says_without_vars(run):
    assert json.loads(run("vars", "demo").output) == {}


@pytest.mark.parametrize("example", ["cdnow", "completejourney"])
def test_an_example_names_files_that_exist(run, example: str):
    outcome = run("vars", example)
    variables = json.loads(outcome.output)
    assert variables["database"] == example
    assert "package:" not in outcome.output
    for mapping in variables["inputs"].values():
        assert "query" in mapping or Path(mapping["file"]).is_file()


def test_variables_are_one_line(run):
    assert run("vars", "cdnow").output.count("\n") == 1


def test_a_vars_file_names_its_database_after_itself(run, vars_file):
    path = vars_file("inputs: {orders: {file: orders.csv}}")
    assert json.loads(run("vars", path).output) == {
        "database": "my_shop",
        "inputs": {"orders": {"file": "orders.csv"}},
    }


def test_a_vars_file_may_name_its_database(vars_file):
    path = vars_file("{database: shop, inputs: {orders: {table: erp.orders}}}")
    assert inputs.resolve(str(path)).database.name == "shop.duckdb"


def test_an_unknown_input_is_told_which_there_are(run):
    outcome = run("build", "--input", "nowhere")
    assert outcome.exit_code == 1
    assert "no input 'nowhere'" in outcome.output
    assert "demo, cdnow, completejourney" in outcome.output


@pytest.mark.parametrize("text", ["currency: EUR", "- orders", "inputs: ["])
def test_a_file_that_maps_nothing_is_told_so(run, vars_file, text: str):
    outcome = run("vars", vars_file(text))
    assert outcome.exit_code == 1
    assert "my_shop.yml" in outcome.output


NOT_MEANT = {
    "inputs: {orders: {file: a.csv}}\nas_of_date: 2026-02-30": (
        "as_of_date is 2026-02-30 in line 2, and there is no such day. Write one that is, such as 2026-06-30."
    ),
    "inputs:\n  orders: {file: a.csv}\n  customers: {file: b.csv}\n  orders: {file: c.csv}": (
        "'orders' stands there twice, in lines 2 and 4. Keep one of them."
    ),
    "inputs: {orders: {file: a.csv}}\ncurrency: [EUR]": "sets currency to ['EUR']. It must be one text",
    "inputs: {orders: {file: a.csv}}\ntime_zone: 9": "sets time_zone to 9. It must be one text",
    "inputs: {orders: {file: a.csv}}\nas_of_date: [2026-02-30]": "is no YAML that can be read",
}


@pytest.mark.parametrize("text", NOT_MEANT)
def test_a_vars_file_that_can_not_be_meant_is_refused_with_the_key_and_the_line(run, vars_file, text: str):
    outcome = run("report", "--input", vars_file(text))
    assert outcome.exit_code == 1
    assert "my_shop.yml" in outcome.output and NOT_MEANT[text] in outcome.output


@pytest.mark.parametrize("command", [["diff"], ["export", "customers"]])
def test_a_file_that_no_folder_could_take_is_refused_before_anything_is_done(run, tmp_path: Path, command):
    outcome = run(*command, "--input", "nowhere", "--output", tmp_path / "missing" / "x.csv")
    assert outcome.exit_code == 2
    assert f"There is no folder {tmp_path / 'missing'} that x.csv can be written into" in outcome.output


@pytest.mark.parametrize("command", ["diff", "check"])
def test_a_folder_that_is_no_project_is_told_so(run, tmp_path: Path, command: str):
    outcome = run(command, "--project-dir", tmp_path)
    assert outcome.exit_code == 2
    assert f"{tmp_path} is no dbt project" in outcome.output


def test_a_missing_package_is_told_how_to_install_it(run, monkeypatch: pytest.MonkeyPatch):
    def not_found(name: str):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", not_found)
    outcome = run("build", "--input", "cdnow")
    assert outcome.exit_code == 1
    assert "'lifetimes'" in outcome.output
    assert "-r requirements-cdnow.lock" in outcome.output
    assert "make build INPUT=cdnow" in outcome.output


def test_a_file_that_its_package_lacks_is_named(run, vars_file):
    outcome = run("vars", vars_file("inputs: {orders: {file: package:click/click/orders.csv}}"))
    assert outcome.exit_code == 1
    assert "no file 'click/orders.csv'" in outcome.output


def test_cdnow_is_read_to_the_last_line():
    query = inputs.resolve("cdnow").vars["inputs"]["orders"]["query"]
    rows = duckdb.sql(
        f"select count(*), count(distinct fields[1]), max(len(fields)) from ({query})"
    ).fetchall()
    assert rows == [(69_659, 23_570, 4)]


def test_complete_journey_is_within_its_year():
    query = inputs.resolve("completejourney").vars["inputs"]["orders"]["query"]
    rows = duckdb.sql(
        f"select count(distinct basket_id), count(*), min(ordered_at), max(ordered_at) from ({query})"
    ).fetchall()
    assert rows == [(155_848, 155_848, datetime(2017, 1, 1, 6, 53, 26), datetime(2017, 12, 31, 23, 1, 20))]


def test_a_report_before_the_first_build_says_what_to_do(run, vars_file):
    outcome = run("report", "--input", vars_file("{database: never_built, inputs: {orders: {table: t}}}"))
    assert outcome.exit_code == 1
    assert "Build it first" in outcome.output


def test_the_page_of_the_contract_says_what_the_macro_says(run):
    assert run("contract", "--check").exit_code == 0, "write it anew: segmentation contract"


def test_a_page_that_is_out_of_date_is_noticed(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    old = tmp_path / "input_contract.md"
    old.write_text(
        contract.PAGE.read_text(encoding="utf-8").replace("`ordered_at`", "`sold_at`"), encoding="utf-8"
    )
    monkeypatch.setattr(contract, "PAGE", old)
    assert run("contract", "--check").exit_code == 1
    assert run("contract").exit_code == 0
    assert run("contract", "--check").exit_code == 0
