"""The command that draws and serves boards: what it hands to dbt-charts, and what it says if it can't."""

import os
import shutil
import sys
from pathlib import Path

import duckdb
import pytest
import yaml
from click.testing import CliRunner

from customer_segmentation.cli import main
from customer_segmentation.dashboard import boards, dct, site

BOARD = """
title: Segments
rows:
  - text: "Who is in {segmentation}?"
  - cols: [profile]
queries:
  profile: {sql: "select {label} from segment_profiles where segmentation = '{segmentation}'"}
charts:
  profile: {type: table, query: profile, title: "Revenue ({currency})"}
"""


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def one_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with one board about a segmentation."""
    home = tmp_path / "dashboard"
    (home / "boards").mkdir(parents=True)
    shutil.copy(boards.HOME / "style.yml", home)
    (home / "boards" / "segments.yml").write_text(BOARD)
    (home / "boards" / "segments.ko.yml").write_text(
        "{Segments: 세그먼트, 'Who is in {segmentation}?': '{segmentation}?', 'Revenue ({currency})': 매출}"
    )
    (home / "boards" / "pages.ko.yml").write_text("Segmentation: 세그먼테이션")
    monkeypatch.setattr(boards, "HOME", home)
    monkeypatch.setattr(boards, "ORDER", ("segments",))
    monkeypatch.setattr(site, "WORK", tmp_path / "work")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.customers (customer_id varchar, rfm varchar)")
        connection.execute("create table marts.segment_profiles (segmentation varchar)")
        connection.execute("insert into marts.segment_profiles values ('(all)'), ('behaviour'), ('rfm')")
    return path


def written(folder: Path, database: Path, language: str = "en", served: bool = False) -> dict[str, dict]:
    paths = boards.write(folder, database, "EUR", language, ["rfm", "behaviour"], boards.WIDE, served=served)
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths}


def test_a_site_has_a_page_for_each_segmentation(one_board, tmp_path, database):
    pages = written(tmp_path / "site", database)
    assert {name: page["queries"]["profile"]["sql"].split("= ")[1] for name, page in pages.items()} == {
        "segments": "'rfm'",
        "segments-behaviour": "'behaviour'",
    }
    assert not any("variables" in page for page in pages.values())


def test_served_there_is_one_page_and_the_segmentation_is_chosen_on_it(one_board, tmp_path, database):
    pages = written(tmp_path / "served", database, "ko", served=True)
    assert list(pages) == ["segments"]
    page = pages["segments"]
    sql = "select label_ko from segment_profiles where segmentation = {{ segmentation }}"
    assert page["queries"]["profile"]["sql"] == sql
    assert page["rows"][0]["text"] == "{{ segmentation }}?"
    chosen = page["variables"]["segmentation"]
    assert (chosen["default"], chosen["label"]) == ("rfm", "세그먼테이션")
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("use marts")
        options = connection.execute(page["queries"][chosen["options"]["query"]]["sql"])
        assert [column[0] for column in options.description] == [chosen["options"]["column"]]
        assert options.fetchall() == [("behaviour",), ("rfm",)]


def test_serving_hands_over_to_the_server_of_dbt_charts(
    run, one_board, database, monkeypatch: pytest.MonkeyPatch
):
    called = {}

    def instead(path: str, command: list[str], environment: dict[str, str]) -> None:
        called.update(path=path, command=command, environment=environment)

    monkeypatch.setattr(os, "execve", instead)
    outcome = run("dashboard", "--input", database, "--serve", "--port", 8123)
    assert outcome.exit_code == 0, outcome.output
    assert Path(called["path"]).name == "dct"
    assert called["command"][1] == "serve"
    assert called["command"][-2:] == ["--port", "8123"]
    assert called["environment"]["DO_NOT_TRACK"] == "1"
    assert (site.WORK / "shop-served" / "charts" / "segments.yml").is_file()


@pytest.mark.parametrize("serve", [[], ["--serve"]])
def test_without_dbt_charts_it_says_what_to_run(
    run, one_board, database, tmp_path, monkeypatch: pytest.MonkeyPatch, serve
):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    outcome = run("dashboard", "--input", database, *serve)
    assert outcome.exit_code == 1
    assert "make dashboard" in outcome.output
    assert "requirements-dashboard.lock" in outcome.output


def test_before_the_first_build_it_says_what_to_do(run, tmp_path):
    never = tmp_path / "never_built.yml"
    never.write_text("inputs: {orders: {table: t}}")
    outcome = run("dashboard", "--input", never)
    assert outcome.exit_code == 1
    assert "Build it first" in outcome.output


def test_the_command_of_dbt_charts_stands_beside_python():
    assert Path(dct.command()[0]).is_file()


@pytest.mark.parametrize("board", boards.ORDER)
def test_every_text_of_a_board_has_its_korean_and_no_korean_is_left_over(board):
    shown = set(boards.texts(boards.read(board))) - {""}
    assert shown == set(boards.translations("ko", board))
