"""The command that draws boards: what it writes, and what it says if it can't."""

import json
import re
import shutil
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from test_boards_sql import columns

from customer_segmentation.cli import main
from customer_segmentation.dashboard import boards, charts, site
from customer_segmentation.dashboard.boards import Answers, Found
from customer_segmentation.dashboard.languages import NOTHING, Language

BOARD = """
title: Segments
rows:
  - text: "Who is in {segmentation}?"
  - {when: state.has_many, cols: [many]}
  - {when: not state.has_many, cols: [few]}
  - cols: [profile, sizes]
  - none
queries:
  profile: "select {label} as name, customers from segment_profiles where segmentation = '{segmentation}'"
  state: select count(*) > 1 as has_many, sum(customers) as customers from profile
  nobody: select * from profile where false
charts:
  many: {number: "{state.customers}", label: Customers}
  few: {callout: plain, message: Only one segment}
  profile: {table: profile, title: "Revenue ({currency})", columns: {name: {label: Segment}}}
  none: {table: nobody, title: Nobody, columns: {name: {label: Segment}}}
  sizes:
    query: profile
    title: Sizes
    columns: &columns {name: {label: Segment}, customers: {label: Customers}}
    spec:
      height: {step: 30}
      mark: bar
      encoding: {y: {field: name, type: nominal}, x: {field: customers, type: quantitative}}
"""
KOREAN = """
Segments: 세그먼트
"Who is in {segmentation}?": "{segmentation}?"
Customers: 고객 수
Only one segment: 하나뿐
"Revenue ({currency})": 매출
Segment: 세그먼트
Nobody: 없음
Sizes: 크기
"""
UNSAFE = "</script><script>alert(1)</script> & <b>"
KINDS = ("segmentation", "question", "treatment", "score", "feature", "verdict")
ENGLISH = Language("en", {kind: {} for kind in KINDS})


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one board about a segmentation: its file."""
    home = tmp_path / "dashboard"
    shutil.copytree(boards.HOME, home)
    (home / "boards" / "segments.yml").write_text(BOARD)
    (home / "boards" / "segments.ko.yml").write_text(KOREAN)
    monkeypatch.setattr(boards, "HOME", home)
    monkeypatch.setattr(boards, "ORDER", ("segments",))
    monkeypatch.setattr(site, "ORDER", ("segments",))
    monkeypatch.setattr(site, "SITE", tmp_path / "site")
    return home / "boards" / "segments.yml"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.customers (customer_id varchar, rfm varchar)")
        connection.execute(
            "create table marts.segment_profiles "
            "(segmentation varchar, label varchar, label_ko varchar, customers int)"
        )
        rows = [("(all)", "All", "전체", 9), ("behaviour", UNSAFE, "위험", 2), ("rfm", "Best", "최우수", 3)]
        connection.executemany(
            "insert into marts.segment_profiles values (?, ?, ?, ?)", [*rows, ("rfm", "Lost", "이탈", 4)]
        )
    return path


def drawn(database: Path, folder: Path, language: str = "en") -> str:
    """Return the page of the only board."""
    index, page = site.render(database, "shop", "EUR", language, folder / "drawn")
    assert index.name == "index.html" and index.read_text("utf-8") == page.read_text("utf-8")
    return page.read_text("utf-8")


def test_a_page_has_a_section_for_each_segmentation_and_a_choice_of_them(board, tmp_path, database):
    page = drawn(database, tmp_path)
    assert re.findall(r'<option value="(\w+)">([^<]+)<', page) == [("rfm", "RFM"), ("behaviour", "Behaviour")]
    assert re.findall(r'<section id="(\w+)"', page) == ["rfm", "behaviour"]
    assert '<label for="-segmentation">Segmentation</label>' in page
    assert "Who is in rfm?" in page and "Who is in behaviour?" in page
    assert "Revenue (EUR)" in page


def test_a_page_is_in_the_language_that_is_asked_for(board, tmp_path, database):
    page = drawn(database, tmp_path, "ko")
    assert '<html lang="ko">' in page
    assert '<label for="-segmentation">세그먼테이션</label>' in page
    assert "최우수" in page and "Best" not in page
    assert '<option value="behaviour">행동</option>' in page


def test_parts_are_shown_under_their_condition(board, tmp_path, database):
    rfm, behaviour = drawn(database, tmp_path).split("<section")[1:]
    assert "<strong>7</strong>" in rfm and "Only one segment" not in rfm
    assert "Only one segment" in behaviour and 'data-name="many"' not in behaviour


def test_what_has_no_rows_is_a_sentence(board, tmp_path, database):
    page = drawn(database, tmp_path)
    assert "There is nothing to show here yet." in page[page.index("Nobody") :]


def test_data_cannot_end_a_script_or_become_markup(board, tmp_path, database):
    page = drawn(database, tmp_path)
    assert "<script>alert" not in page and "<b>" not in page
    specs = [json.loads(text) for text in re.findall(r'json">(\{"width".*?)</script>', page)]
    assert [spec["datasets"]["profile"][0]["name"] for spec in specs] == ["Best", UNSAFE]


def test_more_rows_than_a_screen_reader_can_take_are_cut_and_said(board, tmp_path, database, monkeypatch):
    monkeypatch.setattr(site, "MOST_ROWS", 1)
    assert "Rows shown here, of all: 1 / 2" in drawn(database, tmp_path)


def test_charts_are_drawn_by_a_script_that_is_made_once(board, tmp_path, database, monkeypatch):
    monkeypatch.setattr(site, "WORK", tmp_path / "work")
    drawn(database, tmp_path)
    monkeypatch.delattr(charts.converter(), "javascript_bundle")
    drawn(database, tmp_path)
    assert "vegaEmbed" in (tmp_path / "drawn" / "vega.js").read_text("utf-8")


def test_the_command_says_what_it_draws(run, board, database, tmp_path):
    outcome = run("dashboard", "--input", database)
    assert outcome.exit_code == 0, outcome.output
    assert "1 of 1  segments" in outcome.output
    assert "1 pages. Open" in outcome.output


# what it says if it can't


def test_without_vl_convert_it_says_what_to_run(run, board, database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    outcome = run("dashboard", "--input", database)
    assert outcome.exit_code == 1
    assert "make dashboard" in outcome.output
    assert "requirements-dashboard.lock" in outcome.output


def test_before_the_first_build_it_says_what_to_do(run, tmp_path):
    never = tmp_path / "never_built.yml"
    never.write_text("inputs: {orders: {table: t}}")
    outcome = run("dashboard", "--input", never)
    assert outcome.exit_code == 1
    assert "Build it first" in outcome.output


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("from profile\n", "from profiles\n", "the query state can't be run"),
        ("mark: bar", "mark: bart", "Vega-Lite refuses the spec of the chart sizes"),
        (
            "few: {callout: plain, ",
            "few: {",
            "has no chart few with one of number, table, matrix, callout, spec",
        ),
        ("when: not state.has_many", "when: not stat.has_many", "has no query stat"),
        ("when: not state.has_many", "when: not state.has_few", "the query state has no column has_few"),
        ("{name: {label: Segment}, customers", "{nam: {label: Segment}, customers", "no column nam"),
        ("title: Segments", "title: [", "boards/segments.yml can't be read"),
        ("cols: [many]", "cols: [more]", "has no chart more"),
        ("{field: name, type", "{field: nam, type", "has no column nam"),
        ("rows:\n", "rws:\n", "no part of a board 'rws'. Did you mean rows?"),
        ("rows:\n", "rws:\n", "It has no rows, but title, rws, queries, charts."),
        ("title: Segments\nrows", "rows", "It has no title, but rows, queries, charts."),
        ("queries:\n", "querys:\n", "It has no queries, but"),
        (
            "customers: {label: Customers}}",
            "customers: {label: Customers, format: mnth}}",
            "Did you mean month?",
        ),
        (
            "customers: {label: Customers}}",
            "customers: {label: Customers, format: share_x}}",
            "no format 'share_x'",
        ),
        ("{state.customers}", "{state.customers:mnth}", "month, money, decimal, share, share_N"),
    ],
)
def test_a_mistake_in_a_board_is_said_and_leaves_the_old_site(run, board, database, right, wrong, said):
    assert run("dashboard", "--input", database).exit_code == 0
    before = (site.SITE / "segments.html").read_text("utf-8")
    assert right in BOARD
    board.write_text(BOARD.replace(right, wrong))
    outcome = run("dashboard", "--input", database)
    assert outcome.exit_code == 1
    assert said in outcome.output and "boards/segments.yml" in outcome.output
    assert "Traceback" not in outcome.output and "https:" not in outcome.output
    assert (site.SITE / "segments.html").read_text("utf-8") == before


def test_a_text_without_its_korean_is_said(run, board, database):
    board.write_text(BOARD.replace("Only one segment", "Only one"))
    outcome = run("dashboard", "--input", database, "--language", "ko")
    assert outcome.exit_code == 1
    assert "segments.yml has a text without a translation: Only one\n" in outcome.output
    assert "segments.ko.yml" in outcome.output


# the boards themselves


@pytest.mark.parametrize("board", [*boards.ORDER, "pages"])
def test_every_text_of_a_board_has_its_korean_and_no_korean_is_left_over(board):
    shown = set(boards.texts(boards.read(board))) - {""}
    assert shown == set(boards.translations("ko", board))


@pytest.mark.parametrize("language", boards.LANGUAGES)
@pytest.mark.parametrize("name", boards.ORDER)
def test_vega_lite_takes_every_chart_of_a_board(name, language):
    """Those too that the demo doesn't show."""
    board = boards.written(name, language, {"currency": "EUR", "segmentation": "rfm"})
    for chart, written in board["charts"].items():
        if "spec" in written:
            row = dict.fromkeys(re.findall(r"field: (\w+)", str(written["spec"]).replace("'", "")))
            rows = {query: {**row, **dict.fromkeys(written["columns"])} for query in board["queries"]}
            texts = {query: dict.fromkeys(columns) for query, columns in _said(written).items()}
            all_rows = {**rows, **texts, written["query"]: rows[written["query"]]}
            found = {query: Found(list(one), [one]) for query, one in all_rows.items()}
            answers = Answers(name, found, ENGLISH)
            charts.check(charts.spec(written, answers), name, chart)


@pytest.mark.parametrize("language", boards.LANGUAGES)
def test_every_board_is_drawn_of_empty_marts_and_finds_every_column(tmp_path, language):
    """Before there are customers: every query runs, every column that a part shows is there."""
    path = tmp_path / "empty.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts; use marts")
        for mart, stated in columns().items():
            connection.execute(f"create table {mart} ({stated})")
        connection.execute("insert into segment_profiles (segmentation) values ('rfm')")
    pages = site.render(path, "empty", "EUR", language, tmp_path / "site")
    assert len(pages) == 1 + len(boards.ORDER)


@pytest.mark.parametrize("error", [RuntimeError, duckdb.InterruptException])
def test_an_interrupt_during_a_query_ends_as_other_interrupts(run, board, database, monkeypatch, error):
    def interrupted(*_: object) -> None:
        raise error("Query interrupted")

    monkeypatch.setattr(boards, "answers", interrupted)
    outcome = run("dashboard", "--input", database)
    assert (outcome.exit_code, outcome.output.splitlines()[-1]) == (130, "Interrupted.")


def test_a_query_that_is_interrupted_is_no_mistake_of_the_board():
    class Connection:
        def execute(self, sql: str) -> None:
            raise duckdb.InterruptException("Query interrupted")

    with pytest.raises(duckdb.InterruptException):
        boards.answers(Connection(), "segments", {"queries": {"a": "select 1"}}, ENGLISH)


def test_a_word_that_the_colours_do_not_have_is_said(board, run, database):
    coloured = (
        "x: {field: customers, type: quantitative}, color: {field: name, scale: {domain: [A], range: [red]}}"
    )
    board.write_text(BOARD.replace("x: {field: customers, type: quantitative}", coloured))
    outcome = run("dashboard", "--input", database)
    assert outcome.exit_code == 1
    assert "name is Best, which the colours don't have. They have A." in outcome.output


def _said(chart: dict[str, object]) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {}
    for query, column, _ in boards.VALUE.findall(str(chart)):
        said.setdefault(query, []).append(column)
    return said


# numbers and dates


@pytest.mark.parametrize(
    ("value", "form", "english", "korean"),
    [
        (503_321_000, "money", "503M", "5.03억"),
        (Decimal("41200"), "money", "41.2K", "4.12만"),
        (999_960, "money", "1M", "100만"),
        (1.5e12, "money", "1.5T", "1.5조"),
        (0, "money", "0", "0"),
        (0.5, "money", "0.5", "0.5"),
        (999, "money", "999", "999"),
        (-1234, "money", "-1.23K", "-1,234"),
        (1234.5, "", "1,234", "1,234"),
        (0.1234, "share", "12\u00a0%", "12\u00a0%"),
        (0.1234, "share_1", "12.3\u00a0%", "12.3\u00a0%"),
        (-0.0004, "share", "0\u00a0%", "0\u00a0%"),
        (-0.0004, "share_1", "0.0\u00a0%", "0.0\u00a0%"),
        (-0.004, "decimal", "0.00", "0.00"),
        (-0.001, "money", "0", "0"),
        (-0.3, "", "0", "0"),
        (1.005, "decimal", "1.00", "1.00"),
        (date(2026, 6, 17), "", "17 Jun 2026", "2026년 6월 17일"),
        (date(2026, 6, 1), "month", "Jun 2026", "2026년 6월"),
        (float("inf"), "money", NOTHING, NOTHING),
        (float("-inf"), "share", NOTHING, NOTHING),
        (None, "money", NOTHING, NOTHING),
        (float("nan"), "", NOTHING, NOTHING),
        ("20 %", "", "20\u00a0%", "20\u00a0%"),
    ],
)
def test_values_are_written_as_each_language_writes_them(value, form, english, korean):
    assert (ENGLISH.shown(value, form), Language("ko", {}).shown(value, form)) == (english, korean)


def test_what_has_no_name_is_shown_by_a_tidied_key():
    named = Language(
        "ko", {"segmentation": {"rfm": "RFM"}, "treatment": {"retention": "Keep"}, "question": {}}
    ).named
    assert named("segmentation", "rfm") == "RFM"
    assert named("segmentation", "high_street_buyers") == "High street buyers"
    assert (named("treatment", "retention"), named("segmentation", "retention")) == ("Keep", "Retention")
    assert named("question", "Who uses promo_code?") == "Who uses promo_code?"
    assert named("segment", "cannot_lose") == "Cannot lose"


def test_marks_of_markdown_in_a_value_are_shown_and_mean_nothing():
    said = "**A_b_c** `d` [e](f) # 10 %"
    found = Answers("b", {"q": Found(["said"], [{"said": said}])}, ENGLISH)
    ((line,),) = site._lines([{"text": "**{q.said}**"}], {}, found)
    assert line["html"] == f"<p><strong>{said}</strong></p>\n".replace(" %", "\N{NO-BREAK SPACE}%")


@pytest.mark.parametrize(("customers", "is_drawn"), [([0, 0], False), ([0, 1], True)])
def test_a_chart_of_nothing_but_zeros_is_a_sentence(customers: list[int], is_drawn: bool):
    column = {"label": "Customers", "format": ""}
    chart = {"query": "q", "columns": {"customers": column}, "spec": {"mark": "bar"}}
    found = Answers("b", {"q": Found(["customers"], [{"customers": count} for count in customers])}, ENGLISH)
    made = site.part("chart", {"chart": chart}, found)
    assert (bool(made["rows"]), "spec" in made) == (is_drawn, is_drawn)


def test_months_have_ticks_however_few_there_are():
    retention = boards.read("overview")["charts"]["retention"]["spec"]
    assert "values" not in retention["encoding"]["x"]["axis"]


# tables


def test_numbers_stand_on_the_right_and_verdicts_have_a_tone():
    rows = [{"a": None, "b": 1200, "c": "✓ Holds"}, {"a": "x", "b": None, "c": "✗ The reverse holds"}]
    columns = {name: {"label": name, "format": ""} for name in "abc"}
    made = site.table(columns, rows, ENGLISH)
    assert [head.kind for head in made["heads"]] == ["", "right", ""]
    assert [[cell.text for cell in row] for row in made["rows"]] == [
        [NOTHING, "1,200", "✓ Holds"],
        ["x", NOTHING, "✗ The reverse holds"],
    ]
    assert [made["rows"][row][2].kind.split()[0] for row in (0, 1)] == ["good", "bad"]


def test_a_column_of_numbers_stands_on_the_right_without_any_too():
    forms = {"money": "money", "share": "share_1", "index": "", "text": "", "month": "month"}
    columns = {
        name: {"label": name, "format": form, "shade": name == "index"} for name, form in forms.items()
    }
    made = site.table(columns, [dict.fromkeys(forms)], ENGLISH)
    assert [head.text for head in made["heads"] if head.kind == "right"] == ["money", "share", "index"]


def test_rows_are_as_high_on_a_narrow_page_as_their_labels_have_lines():
    chart = {
        "query": "q",
        "columns": {},
        "spec": {"height": {"step": 34}, "mark": "bar", "encoding": {"y": {"field": "name"}}},
    }
    names = ["Best", "Recent, many orders, frequent visits"]  # three lines
    made = charts.spec(
        chart, Answers("b", {"q": Found(["name"], [{"name": name} for name in names])}, ENGLISH)
    )
    assert made["height"] == 68
    assert made["usermeta"] == {"narrow_height": 2 * (3 * charts.LINE + 8)}


def test_an_index_is_white_at_100_blue_above_and_orange_below():
    columns = {"index": {"label": "Index", "format": "", "shade": True}}
    made = site.table(columns, [{"index": value} for value in (100, 300, 900, 0, None)], ENGLISH)
    assert [row[0].style for row in made["rows"]] == [
        "--tone: var(--below); --share: 0%",
        "--tone: var(--above); --share: 70%",
        "--tone: var(--above); --share: 70%",
        "--tone: var(--below); --share: 70%",
        "",
    ]


@pytest.mark.parametrize(("most", "shares"), [(True, ["50.0%", "100.0%"]), (1, ["25.0%", "50.0%"])])
def test_a_bar_is_a_share_of_the_most_or_of_all(most, shares):
    columns = {"share": {"label": "Share", "format": "", "bar": most}}
    made = site.table(columns, [{"share": 0.25}, {"share": 0.5}], ENGLISH)
    assert [row[0].style for row in made["rows"]] == [f"--share: {share}" for share in shares]


def test_a_heat_map_leaves_empty_what_has_no_row():
    keys = ("row_place", "row_name", "column_place", "column_name", "cell", "strength", "tone", "tooltip")
    rows = [
        dict(zip(keys, row, strict=True))
        for row in (
            (2, "two", 1, "A", "x", 0.5, "up", "tip"),
            (1, "one", 10, "Demographics", "y", 9, "up", "tip"),
        )
    ]
    made = site.matrix(rows)
    assert [(head.text, head.kind) for head in made["heads"]] == [
        ("", ""),
        ("A", ""),
        ("Demographics", "long"),
    ]
    assert [[cell.text for cell in row] for row in made["rows"]] == [["one", "", "y"], ["two", "x", ""]]
    assert made["rows"][0][2].style == "--share: 55%"
