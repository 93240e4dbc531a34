"""What the checks of the command line say of a definition's meaning: on plain data, without dbt."""

import random
import re
from pathlib import Path

import duckdb
import kept
import pytest
import yaml
from click.testing import CliRunner
from conftest import PROJECT, Outcome
from test_conditions import EVERYONE, drawn_condition
from test_segment_definitions import (
    DEFINITIONS,
    GOOD,
    MISWRITTEN,
    PLAIN,
    SHARED,
    changed,
    extending,
    with_conditions,
    with_segment,
)

from customer_segmentation import builds, inputs
from customer_segmentation.cli import main
from customer_segmentation.definitions import check
from customer_segmentation.definitions.conditions import as_text, parse
from customer_segmentation.definitions.files import DefinitionError
from customer_segmentation.definitions.written import Definitions, read, resolved

KINDS = {
    "kind": "text",
    "orders_12m": "number",
    "first_order_on": "date",
    "overdue_ratio": "number",
    "is_active": "truth value",
}


def problems(
    definition: dict, shared: dict[str, str] | None = None, kinds: dict[str, str] | None = None
) -> list:
    """Return what is said of a definition among those that come along."""
    definitions = Definitions(DEFINITIONS | {"punctuality": definition}, {}, shared or {})
    return check.problems(resolved("punctuality", definitions), kinds)


def test_the_definitions_that_come_along_have_no_mistake(demo: Outcome):
    kinds = check.kinds_in(demo.database)
    assert kinds["recency_score"] == "number" and kinds["region"] == "text"
    definitions = read(PROJECT)
    assert definitions.segmentations == DEFINITIONS
    for name in definitions.segmentations:
        assert check.problems(resolved(name, definitions), kinds) == [], name


@pytest.mark.parametrize(
    ("message", "definition"),
    {
        "its condition can't be true (overdue_ratio > 5 and overdue_ratio < 3)": with_segment(
            when="overdue_ratio > 5 and overdue_ratio < 3"
        ),
        "segment 'very_late': its condition can't be true (overdue_ratio > 2 and overdue_ratio < 1)": (
            extending("late", when="overdue_ratio < 1")
        ),
        "its condition can't be true (lifetime_orders = 0, within lifetime_orders > 0)": with_conditions(
            "lifetime_orders = 0", population="lifetime_orders > 0"
        ),
        "segment 'late': the condition can't be read: look near '>' (overdue_ratio >)": with_segment(
            when="overdue_ratio >"
        ),
        "population: the condition can't be read": changed(population="overdue_ratio 3"),
        "segment 'late': the condition can't be read: it is empty": with_segment(when=" "),
    }.items(),
)
def test_a_condition_that_nobody_can_meet_or_read_is_named(message: str, definition: dict):
    (problem,) = problems(definition)
    assert message in problem


def test_a_segment_that_earlier_ones_leave_nobody_is_an_error():
    winners = {
        ("lifetime_orders > 3", "lifetime_orders > 3"): "'s1'",
        ("true", "lifetime_orders > 3"): "'s1'",
        ("lifetime_orders > 3", "lifetime_orders >= 4 and overdue_ratio > 2"): "'s1'",
        ("lifetime_orders >= 4", "lifetime_orders > 3"): "'s1'",
        ("lifetime_orders >= 2", "lifetime_orders between 2 and 5"): "'s1'",
        ("not lifetime_orders < 2", "2 < lifetime_orders"): "'s1'",
        ("city_size in ('city', 'town')", "city_size = 'town' and lifetime_orders > 1"): "'s1'",
        ("city_size is not null", "city_size = 'town'"): "'s1'",
        ("city_size <> 'town'", "city_size in ('city', 'metropolis')"): "'s1'",
        ("is_birthday_month", "lifetime_orders > 1 and is_birthday_month"): "'s1'",
        ("children < 5", "overdue_ratio > 2", "children = 1 or overdue_ratio > 3"): "'s1' and 's2'",
    }
    for conditions, winner in winners.items():
        (problem,) = problems(with_conditions(*conditions))
        place = (
            f"segment 's{len(conditions)}': nobody can be in it, because {winner} comes first and takes all"
        )
        assert place in problem, conditions
        assert "move it up, or change its condition" in problem


def test_what_extends_an_earlier_segment_comes_too_late():
    later = {"name": "later", "label": {"en": "L", "ko": "L"}, "extends": "late", "when": "children > 0"}
    (problem,) = problems(changed(segments=[*GOOD["segments"], later]))
    assert "segment 'later': nobody can be in it, because 'late' comes first" in problem


def test_a_segment_without_a_condition_takes_nobody_from_later_ones():
    """Dbt says that it has none."""
    assert problems(with_conditions("", "lifetime_orders > 3")) == []


def test_overlapping_audiences_do_not_hide_each_other():
    audiences = with_conditions("lifetime_orders > 3", "lifetime_orders > 5", assignment="all_matches")
    assert problems(audiences) == problems(audiences | {"population": "lifetime_orders > 0"}) == []


def test_what_dbt_takes_for_a_condition_can_be_read():
    for condition in PLAIN:
        assert problems(with_segment(when=condition)) == []


@pytest.mark.drawn
def test_what_is_said_to_be_unreachable_is_unreachable():
    """Nobody is left for such a segment, whatever the values: on random conditions, against the database."""
    chance = random.Random(7)
    pairs = [(drawn_condition(chance), drawn_condition(chance)) for _ in range(kept.examples(300, 3000))]
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(EVERYONE)
    unreachable = [pair for pair in pairs if "segment 's2'" in str(problems(with_conditions(*pair)))]
    assert len(unreachable) > len(pairs) / 10
    for earlier, later in unreachable:
        left = f"select * from everyone where ({later}) and not coalesce({earlier}, false)"
        assert not connection.execute(left).fetchall(), (earlier, later)


def test_a_condition_that_says_something_else_than_was_meant_is_named():
    kinds = KINDS | {"lifetime_orders": "number"}
    for condition, message in MISWRITTEN.items():
        (problem,) = problems(with_segment(when=condition), kinds=kinds)
        wanted = "the condition can't be read" if "brackets" in message else message
        assert problem.lower().startswith(f"segment 'late': {wanted.lower()}"), problem
        assert "(" in problem


MISFITS = {
    "kind = 3": "kind is a text and is compared with 3: compare it with a text such as 'business' (kind = 3)",
    "is_active = 'active'": "is_active is a truth value and is compared with 'active': compare it with true",
    "kind in ('person', 3)": "kind is a text and is compared with 3",
    "orders_12m = 'many'": "orders_12m is a number and is compared with 'many'",
    "orders_12m between 'a' and 5": "orders_12m is a number and is compared with 'a'",
    "-3 < kind": "kind is a text and is compared with -3",
    "first_order_on > 2025": "first_order_on is a date and is compared with 2025",
    "first_order_on > '1.1.2025'": "first_order_on is a date and is compared with '1.1.2025'",
    "overdue_ratio > 2 and kind": "kind is a text and no condition: compare it with something",
    "not first_order_on": "first_order_on is a date and no condition",
}


@pytest.mark.parametrize("condition", MISFITS)
def test_what_is_compared_with_something_of_another_kind_is_named(condition: str):
    (problem,) = problems(with_segment(when=condition), kinds=KINDS)
    assert problem.startswith(f"segment 'late': {MISFITS[condition]}")


@pytest.mark.parametrize("condition", MISFITS)
def test_what_is_named_is_what_the_database_refuses(condition: str):
    everybody = """
        select 'person' as kind, 4 as orders_12m, 3.5 as overdue_ratio, true as is_active,
            date '2025-01-01' as first_order_on
    """
    with pytest.raises(duckdb.Error, match=r"compare|convert|date|cast"):
        duckdb.sql(f"select * from ({everybody}) where {condition}").fetchall()


def test_what_fits_is_fine_and_of_unknown_columns_nothing_is_said():
    fine = [
        "kind = '3' and orders_12m > 3 and not is_active",
        "orders_12m = '3e1' and is_active = 1 and orders_12m and first_order_on >= '2025-01-01'",
        "coalesce(orders_12m, 0) > 0 and case when is_active then kind end = 'person'",
        "a_new_column > 3 and not a_new_column or a_new_column = 'x'",
    ]
    for condition in fine:
        assert problems(with_segment(when=condition), kinds=KINDS) == [], condition


def test_what_columns_are_is_read_from_a_database_if_there_is_one(tmp_path: Path):
    path = tmp_path / "shop.duckdb"
    assert check.kinds_in(path) == {}
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema segments")
    assert check.kinds_in(path) == {}
    with duckdb.connect(str(path)) as connection:
        connection.execute("""
            create table segments.customer_features as select
                'a' as a, 1 as b, cast(1 as hugeint) as c, 1.5 as d, true as e,
                date '2025-01-01' as f, [1] as g, cast('x' as enum ('x', 'y')) as h
        """)
    assert check.kinds_in(path) == {
        **{"a": "text", "b": "number", "c": "number", "d": "number"},
        **{"e": "truth value", "f": "date", "h": "text"},
    }


def test_python_means_by_a_definition_what_dbt_means(demo: Outcome):
    """Both write out what a condition rests on; the words may differ, and the meaning may not."""
    definitions = read(PROJECT)
    said = demo.rows(
        "select segmentation, segment, condition from marts.segments where condition not like 'learned%'"
    )
    assert len(said) > 40
    ours = {
        (name, segment["name"]): segment["when"]
        for name in definitions.segmentations
        for segment in resolved(name, definitions)["segments"]
    }
    for segmentation, segment, condition in said:
        meant = ours[segmentation, segment]
        assert as_text(parse(meant)) == as_text(parse(condition)) if meant else condition == "otherwise"


def test_shared_conditions_and_segments_to_build_on_are_written_out():
    meant = {
        "is_late": "overdue_ratio > 2",
        "IS_LATE and lifetime_orders > 1": "overdue_ratio > 2 and lifetime_orders > 1",
        "not is_far_behind": "not (overdue_ratio > 2 and days_since_last_order > 60)",
        "is_known and children > 0": "(overdue_ratio > 2 or overdue_ratio <= 2) and children > 0",
        "coalesce(is_late, false)": "coalesce((overdue_ratio > 2), false)",
        "is_late is null": "(overdue_ratio > 2) is null",
        "kind = 'is_late' or is_ours": "kind = 'is_late' or kind = 'is_late'",
        "children between 1 and is_late": "children between 1 and (overdue_ratio > 2)",
    }
    for condition, written_out in meant.items():
        definitions = Definitions({"x": with_segment(when=condition)}, {}, SHARED)
        assert resolved("x", definitions)["segments"][0]["when"] == written_out
    definition = extending("late", when="lifetime_orders = 1 or children > 0")
    built_on = Definitions(DEFINITIONS | {"x": definition}, {}, {})
    first, *_ = resolved("x", built_on)["segments"]
    assert first["when"] == "overdue_ratio > 2 and (lifetime_orders = 1 or children > 0)"
    best = Definitions(DEFINITIONS | {"x": extending("rfm.champions", when=None)}, {}, {})
    assert resolved("x", best)["segments"][0]["when"] == DEFINITIONS["rfm"]["segments"][0]["when"]


def test_an_extends_without_a_name_is_none():
    """As dbt has it: the condition of the segment itself remains."""
    for base in (None, ""):
        definition = extending(base, when="overdue_ratio > 5 and overdue_ratio < 3")
        (problem,) = problems(definition)
        assert "its condition can't be true (overdue_ratio > 5 and overdue_ratio < 3)" in problem


def test_what_dbt_refuses_does_not_stop_the_checks():
    """Circles, names that nobody has, and entries that are no segments: dbt names them."""
    circle = {"a_b": "not b_c", "b_c": "a_b"}
    for definition in (
        with_segment(when="a_b"),
        with_segment(when=True),
        with_segment(extends="late"),
        extending("nobody"),
        extending("nowhere.late"),
        changed(segments=["late"]),
        changed(segments=None),
        changed(segments=5),
        changed(segments={"late": "overdue_ratio > 2"}),
        changed(population=True),
        changed(population=["lifetime_orders > 0"]),
        with_segment(when=""),
        with_segment(when=["overdue_ratio > 2"]),
    ):
        assert problems(definition, circle) == []


def test_nothing_is_claimed_of_a_segment_that_builds_on_what_is_not_there():
    """It might take fewer than its own condition says."""
    for base in ("nobody", "rfn.champions", "very_late"):
        definition = extending(base, when="overdue_ratio > 2")
        definition["segments"][1]["when"] = "overdue_ratio > 3"
        assert problems(definition) == []


@pytest.fixture
def project_with_mistakes(tmp_path: Path) -> Path:
    """A project with two definitions, one of them wrong twice, and a file that is no YAML."""
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text("{name: shop, vars: {}}", encoding="utf-8")
    wrong = with_conditions("lifetime_orders > 3", "lifetime_orders > 5", "lifetime_orders > 7")
    for name, definition in {"late": GOOD, "wrong": wrong}.items():
        model = {"name": f"segments_{name}", "config": {"meta": {"segmentation": definition}}}
        text = yaml.safe_dump({"models": [model]}, allow_unicode=True)
        (tmp_path / "models" / f"segments_{name}.yml").write_text(text, encoding="utf-8")
    (tmp_path / "models" / "broken.yml").write_text("models: [\n  segmentation: {", encoding="utf-8")
    return tmp_path


def test_all_mistakes_are_named_at_once_with_the_file(project_with_mistakes: Path):
    with pytest.raises(DefinitionError) as raised:
        check.check(project_with_mistakes, project_with_mistakes / "no.duckdb")
    said = str(raised.value)
    assert said.startswith("models/segments_wrong.yml can't be used:\n  - segment 's2': nobody can be in it")
    assert "segment 's3': nobody can be in it, because 's1' comes first" in said
    assert said.endswith(f"How to write a definition: {check.GUIDE}.") and "segments_late" not in said


@pytest.mark.parametrize(
    ("written", "said"),
    {
        "ends_on: 2027-02-30": "ends_on is 2027-02-30 in line 4, and there is no such day",
        "use: on_time\n     use: late": "'use' stands there twice, in lines 4 and 5. Keep one of them.",
    }.items(),
)
def test_what_yaml_would_take_another_way_is_named_with_the_file(
    project_with_mistakes: Path, written: str, said: str
):
    path = project_with_mistakes / "models" / "segments_wrong.yml"
    text = f"models:\n - name: segments_wrong\n   segmentation:\n     {written}\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError, match=re.escape(f"segments_wrong.yml: {said}")):
        read(project_with_mistakes)


def test_another_project_may_build_on_what_comes_along(project_with_mistakes: Path):
    path = project_with_mistakes / "models" / "segments_wrong.yml"
    best = extending("rfm.champions", when="recency_score < 4")
    model = {"name": "segments_wrong", "config": {"meta": {"segmentation": best}}}
    path.write_text(yaml.safe_dump({"models": [model]}, allow_unicode=True), encoding="utf-8")
    outcome = CliRunner().invoke(main, ["check", "--project-dir", str(project_with_mistakes)])
    assert outcome.exit_code == 1
    assert "segment 'very_late': its condition can't be true (recency_score >= 4 and" in outcome.output
    path.unlink()
    outcome = CliRunner().invoke(main, ["check", "--project-dir", str(project_with_mistakes)])
    assert outcome.output == "The definitions can be used.\n"


@pytest.mark.parametrize("command", ["build", "check"])
def test_a_command_names_them_before_dbt_starts(project_with_mistakes: Path, monkeypatch, command: str):
    published(project_with_mistakes, ["late", "wrong"], monkeypatch)
    monkeypatch.setattr(builds, "dbtRunner", lambda **_: pytest.fail("dbt was started"))
    outcome = CliRunner().invoke(main, [command])
    assert outcome.exit_code == 1
    assert "models/segments_wrong.yml can't be used" in outcome.output


def published(project: Path, names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands take a project for this one, which publishes some segmentations."""
    stated = {"name": "shop", "vars": {"segmentations": names}}
    (project / "dbt_project.yml").write_text(yaml.safe_dump(stated), encoding="utf-8")
    monkeypatch.setattr(builds, "PROJECT", project)
    monkeypatch.setattr(inputs, "PROJECT", project)


def test_a_draft_that_is_not_published_stops_no_build(project_with_mistakes: Path, monkeypatch):
    """Dbt warns of it; the command that checks definitions names what is wrong with it."""
    published(project_with_mistakes, ["late"], monkeypatch)

    def start(*_):
        raise builds.BuildError("dbt was started")

    monkeypatch.setattr(builds, "_run_dbt", start)
    assert "dbt was started" in CliRunner().invoke(main, ["build"]).output
    assert "models/segments_wrong.yml can't be used" in CliRunner().invoke(main, ["check"]).output
    with pytest.raises(builds.BuildError, match=r"segments_wrong.yml can't be used"):
        builds.build(inputs.Input("mine", {"segmentations": ["wrong"]}))  # as a vars file lists them


def test_a_mistake_that_only_dbt_knows_is_told_too(tmp_path: Path):
    vars_file = tmp_path / "mine.yml"
    vars_file.write_text("segmentations: [rfm, rfm]\ninputs: {orders: {file: seeds/demo/orders.csv.gz}}\n")
    outcome = CliRunner().invoke(main, ["check", "--input", str(vars_file)])
    assert outcome.exit_code == 1
    assert "rfm" in outcome.output and "twice" in outcome.output
    assert "macro" not in outcome.output and "None" not in outcome.output
