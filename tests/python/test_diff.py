"""`segmentation diff`: whom a change of definitions would move, in a repository made for the purpose."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml
from click.testing import CliRunner
from conftest import PROJECT, Outcome, Project

from customer_segmentation.cli import main
from customer_segmentation.review import changes, checks, effect, review
from customer_segmentation.review.effect import NOWHERE, Effect, Measures
from customer_segmentation.review.sides import Definition, ReviewError, Side

LIFECYCLE = "models/segments/segments_lifecycle.yml"
TIERS = "models/segments/segments_loyalty_tier.yml"


class Repository:
    """A clone of the project with a built demo, on a branch that left main just now."""

    def __init__(self, root: Path, demo: Path):
        Project(root)
        self.root = root
        self.database = root / "build" / "demo.duckdb"
        shutil.copy(demo, self.database)
        (root / ".gitignore").write_text("build/*\ntarget/\nlogs/\n.venv/\n", encoding="utf-8")
        self.git("init", "--quiet", "--initial-branch", "main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "The project as it is")

    def git(self, *arguments: str) -> str:
        """Run git with a name to commit by."""
        identity = ["-c", "user.name=Analyst", "-c", "user.email=analyst@example.com"]
        command = ["git", "-C", str(self.root), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def edit(self, path: str, *replacements: tuple[str, str]) -> None:
        """Replace the first of each old text in a file, which must be there, by the new one."""
        text = (self.root / path).read_text(encoding="utf-8")
        for old, new in replacements:
            assert text.count(old) >= 1, f"{old} is not in {path}"
            text = text.replace(old, new, 1)
        (self.root / path).write_text(text, encoding="utf-8")

    def restore(self) -> None:
        """Go back to main, as it was."""
        self.git("checkout", "--quiet", "--force", "main")
        self.git("reset", "--quiet", "--hard")
        self.git("clean", "--quiet", "--force")

    def diff(self, *options: str):
        """Run the command in this process."""
        arguments = ["diff", "--project-dir", self.root, "--database", self.database, *options]
        return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, demo: Outcome) -> Repository:
    return Repository(tmp_path_factory.mktemp("review") / "repository", demo.database)


@pytest.fixture
def repository(made: Repository):
    yield made
    made.restore()


def test_a_change_of_many_kinds_is_told_whole_and_true(repository: Repository):
    repository.git("checkout", "--quiet", "-b", "stricter")
    repository.edit(
        LIFECYCLE,
        (
            "when: overdue_ratio > 3 and days_since_last_order > 60",
            "when: overdue_ratio > 2",
        ),  # another threshold
        ("name: won_back", "name: returned"),  # another name
    )
    tiers = (repository.root / TIERS).read_text(encoding="utf-8")
    start, end = tiers.index("            - name: silver"), tiers.index("            - name: member")
    silver = tiers[start:end]  # one goes, one comes
    bronze = (
        "            - name: bronze\n"
        "              label: {en: Bronze, ko: 브론즈}\n"
        "              when: orders_12m >= 2\n"
        "              rank: 2\n"
    )
    tiers = tiers.replace(silver, bronze, 1).replace("versus: silver", "versus: bronze")
    (repository.root / TIERS).write_text(tiers, encoding="utf-8")
    repository.git("commit", "--quiet", "--all", "--message", "Stricter")
    before = hashlib.sha256(repository.database.read_bytes()).hexdigest()

    outcome = repository.diff("main", "--format", "json")

    assert outcome.exit_code == 3, outcome.output
    found = json.loads(outcome.stdout)
    told = {(change["segmentation"], change["segment"], change["what"]) for change in found["changes"]}
    assert told == {
        ("lifecycle", "lapsed", "condition"),
        ("lifecycle", "returned", "renamed"),
        ("loyalty_tier", "gold", "expect"),
        ("loyalty_tier", "silver", "removed"),
        ("loyalty_tier", "bronze", "added"),
    }
    lifecycle, tier = found["segmentations"]
    with duckdb.connect(str(repository.database), read_only=True) as connection:
        rows = connection.execute(
            "select lifecycle, count(*), sum(revenue_12m), count(*) filter (is_reachable) "
            "from segments.customer_features join segments.segment_history "
            "using (customer_id, as_of_date) "
            "where as_of_date = (select max(as_of_date) from marts.customers) "
            "and lifecycle not in ('prospect', 'dormant', 'lapsed') and overdue_ratio > 2 group by 1"
        ).fetchall()
    moved = {
        move["from"]: (move["customers"], move["revenue_12m"], move["reachable"])
        for move in lifecycle["matrix"]
        if move["from"] != move["to"]
    }
    names = {"won_back": "returned"}
    assert moved == {names.get(was, was): (n, float(revenue), reach) for was, n, revenue, reach in rows}
    assert {move["to"] for move in lifecycle["matrix"] if move["from"] != move["to"]} == {"lapsed"}
    assert lifecycle["moved"]["customers"] == sum(customers for customers, *_ in moved.values()) > 0
    assert {move["to"] for move in tier["matrix"] if move["from"] == "silver"} == {"bronze"}
    assert {point["name"] for point in found["checks"] if point["result"] == checks.BROKEN} >= {"moved"}
    assert "customers" in found["downstream"]["tables"]
    assert hashlib.sha256(repository.database.read_bytes()).hexdigest() == before, "the database was written"


def test_the_workflow_for_pull_requests_blocks_what_breaks_a_limit(repository: Repository, tmp_path: Path):
    repository.git("checkout", "--quiet", "-b", "looser")
    repository.edit(LIFECYCLE, ("when: lifetime_orders <= 3", "when: lifetime_orders <= 300"))
    repository.git("commit", "--quiet", "--all", "--message", "Looser")
    workflow = yaml.safe_load((PROJECT / ".github/workflows/segments.yml").read_text(encoding="utf-8"))
    steps = {step.get("name"): step for step in workflow["jobs"]["review"]["steps"]}
    assert 'make build INPUT="$INPUT"' in steps["Build"]["run"]  # what the demo's database stands for here
    command = repository.root / ".venv" / "bin" / "segmentation"
    command.parent.mkdir(parents=True)
    command.write_text(
        f"#!/bin/sh\nPYTHONPATH={repository.root}/src exec {sys.executable} -c "
        f"'from customer_segmentation.cli import main; main()' \"$@\"\n",
        encoding="utf-8",
    )
    command.chmod(0o755)
    written = {"GITHUB_STEP_SUMMARY": tmp_path / "summary.md"}
    environment = os.environ | workflow["env"] | {"BASE": "main"}
    environment |= {name: str(path) for name, path in written.items()}

    def run(script: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=repository.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    compared = run(steps["Compare"]["run"])
    assert compared.returncode == 3, compared.stderr
    report = (repository.root / "build" / "review.md").read_text(encoding="utf-8")
    assert "lifetime\\_orders &lt;= 300" in report
    assert report == written["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
    repository.edit(LIFECYCLE, ("overdue_ratio > 3", "overdue_ration > 3"))
    assert run(steps["Compare"]["run"]).returncode == 1
    broken = (repository.root / "build" / "review.md").read_text(encoding="utf-8")
    assert "did you mean 'overdue_ratio'?" in broken
    assert "always()" in steps["Comment"]["if"]
    with duckdb.connect(str(repository.database), read_only=True) as connection:
        customers = connection.execute("select customer_id from marts.customers").fetchall()
    assert not [customer for (customer,) in customers if re.search(rf"\b{re.escape(customer)}\b", report)]


def test_what_is_not_yet_committed_counts_and_broken_definitions_are_named(repository: Repository):
    repository.edit(LIFECYCLE, ("overdue_ratio > 3", "overdue_ration > 3"))
    outcome = repository.diff()
    assert outcome.exit_code == 1
    assert "segments_lifecycle.yml" in outcome.stderr
    assert "there is no column 'overdue_ration': did you mean 'overdue_ratio'?" in outcome.stderr
    repository.edit(LIFECYCLE, ("          segments:\n", "         segments:\n"))
    outcome = repository.diff()
    assert outcome.exit_code == 1
    assert "segments_lifecycle.yml" in outcome.stderr
    assert "Traceback" not in outcome.output


def test_texts_move_nobody_and_a_new_segmentation_is_measured(repository: Repository):
    repository.edit(TIERS, ("label: {en: Gold", "label: {en: Golden"))
    model = repository.root / "models/segments/segments_late.sql"
    model.write_text("{{ config(materialized='view') }}\n\n{{ segmentation() }}\n", encoding="utf-8")
    definition = {
        "question": "Is the next order late?",
        "basis": "journey",
        "assignment": "all_matches",
        "owner": "crm",
        "segments": [
            {"name": "late", "label": {"en": "Late", "ko": "지연"}, "when": "overdue_ratio > 2"},
            {"name": "very_late", "label": {"en": "V", "ko": "V"}, "when": "overdue_ratio > 4"},
        ],
    }
    entry = {"name": "segments_late", "config": {"meta": {"segmentation": definition}}}
    model.with_suffix(".yml").write_text(yaml.safe_dump({"models": [entry]}), encoding="utf-8")
    repository.edit("dbt_project.yml", ("    [rfm,", "    [late, rfm,"))
    outcome = repository.diff("main", "--format", "json")
    assert outcome.exit_code == 0, outcome.output
    found = json.loads(outcome.stdout)
    assert [(change["segment"], change["what"]) for change in found["changes"]] == [
        ("(all)", "added"),
        ("gold", "label en"),
    ]
    (late,) = found["segmentations"]
    with duckdb.connect(str(repository.database), read_only=True) as connection:
        (counts,) = connection.execute(
            "select count(*) filter (overdue_ratio > 2), count(*) filter (overdue_ratio > 4) "
            "from segments.customer_features where as_of_date = (select max(as_of_date) from marts.customers)"
        ).fetchall()
    assert [segment["after"]["customers"] for segment in late["segments"]] == list(counts)
    assert late["moved"]["customers"] == counts[0], "everybody once"


def test_what_cannot_be_compared_is_said(repository: Repository, tmp_path: Path):
    def said(*options: str) -> str:
        outcome = repository.diff(*options)
        assert outcome.exit_code == 1
        return " ".join(outcome.stderr.split())

    assert "git knows no 'nowhere'. It knows the branches" in said("nowhere")
    assert "no as-of date. There are" in said("main", "--as-of", "2020-01-01")
    assert "There is no segmentation 'rmf'" in said("main", "--segmentation", "rmf")
    assert "Build it first" in said("main", "--database", str(tmp_path / "none.duckdb"))
    (tmp_path / "dbt_project.yml").touch()
    outcome = CliRunner().invoke(
        main, ["diff", "--project-dir", str(tmp_path), "--database", str(repository.database)]
    )
    assert outcome.exit_code == 1
    assert "not a git repository" in outcome.stderr


# the parts, without a database of the project or dbt


def definition(*segments: tuple[str, str], **keys) -> Definition:
    """Make a definition over a column x; the last segment takes the rest if it has no condition."""
    entries = [{"name": name, "when": when} if when else {"name": name} for name, when in segments]
    otherwise = next((entry["name"] for entry in entries if "when" not in entry), None)
    whens = " ".join(f"when {when} then '{name}'" for name, when in segments if when)
    other = f" else '{otherwise}'" if otherwise else ""
    written = {"question": "?", "owner": "crm", "otherwise": otherwise, "segments": entries} | keys
    return Definition(
        "tier",
        written.get("assignment", "first_match"),
        written,
        entries,
        None,
        ["x"],
        f"case {whens}{other} end",
    )


def test_definitions_that_cannot_be_used_or_meant_are_refused_with_all_their_mistakes():
    late = definition(("high", "x >= 8"), ("higher", "x >= 9"), ("low", ""))
    side = Side({"tier": late}, {"mood": ["`owner` is missing"]}, "features", {}, {})
    with pytest.raises(ReviewError) as raised:
        review.refuse_problems(side, {})
    assert "segments_mood.yml\n  - `owner` is missing" in str(raised.value)
    assert "segments_tier.yml\n  - segment 'higher': nobody can be in it, because 'high'" in str(raised.value)
    with pytest.raises(ReviewError, match="x is a text and is compared with 8"):
        review.refuse_problems(side, {"x": "text"})
    review.refuse_problems(Side({"tier": BEFORE}, {}, "features", {}, {}), {"x": "number"})


BEFORE = definition(("high", "x >= 8"), ("middle", "x >= 4"), ("low", ""))
DAY = date(2026, 3, 31)


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        connection.execute(
            "create table features as select 'c' || i as customer_id, date '2026-03-31' as as_of_date, "
            "cast(i as integer) as x, cast(10 * i as decimal(18, 4)) as revenue_12m, "
            "cast(null as double) as expected_revenue_365d, i % 2 = 0 as is_reachable from range(10) as r(i)"
        )
        yield connection


def measured(connection, after: Definition, renamed: dict | None = None) -> Effect:
    return effect.measure(connection, "features", DAY, BEFORE, after, renamed or {})


def test_moves_are_counted_with_what_is_at_stake(connection):
    found = measured(connection, definition(("high", "x >= 7"), ("middle", "x >= 5"), ("low", "")))
    assert found.matrix[("middle", "high")] == Measures(1, 70.0, 0.0, 0)
    assert found.matrix[("middle", "low")] == Measures(1, 40.0, 0.0, 1)
    assert found.moved == Measures(2, 110.0, 0.0, 1)
    assert found.total == Measures(10, 450.0, 0.0, 5)
    assert found.entered("high").customers == found.left("middle").customers - 1 == 1


def test_who_falls_out_of_all_segments_moves_as_well(connection):
    found = measured(connection, definition(("high", "x >= 8"), ("middle", "x >= 4")))
    assert found.matrix[("low", NOWHERE)].customers == found.moved.customers == 4


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (BEFORE, []),
        (definition(("high", "x >= 9"), ("middle", "x >= 4"), ("low", "")), [("high", "condition")]),
        (definition(("top", "x >= 8"), ("middle", "x >= 4"), ("low", "")), [("top", "renamed")]),
        (definition(("high", "x >= 8"), ("middle", "x >= 4"), ("rest", "")), [("rest", "renamed")]),
        (definition(("middle", "x >= 4"), ("high", "x >= 8"), ("low", "")), [("(all)", "order")]),
        (
            definition(("top", "x >= 9"), ("middle", "x >= 4"), ("low", "")),
            [("top", "added"), ("high", "removed")],
        ),
        (replace(BEFORE, population="x > 0"), [("(all)", "population")]),
        (definition(("high", "x  >=\n 8"), ("middle", "x >= 4"), ("low", "")), []),
        (
            definition(("high", "x >= 8"), ("middle", "x >= 4"), ("low", ""), owner="sales"),
            [("(all)", "owner")],
        ),
    ],
)
def test_each_kind_of_change_is_told_by_its_name(after: Definition, told: list):
    found = changes.changes_of(BEFORE, after)
    assert [(change.segment, change.what) for change in found] == told


def test_a_segment_under_another_name_moves_nobody(connection):
    after = definition(("top", "x >= 8"), ("middle", "x >= 4"), ("low", ""))
    renamed = changes.renamed_segments(BEFORE, after)
    assert renamed == {"high": "top"}
    assert measured(connection, after, renamed).moved.customers == 0


def results(connection, after: Definition) -> dict[str, str]:
    found = changes.changes_of(BEFORE, after)
    return {
        check.name: check.result for check in checks.check(found, [measured(connection, after)], {}, [after])
    }


@pytest.mark.parametrize(
    ("keys", "name", "result"),
    [
        ({}, "moved", checks.BROKEN),  # one of ten is 10 %, two are more
        ({"max_moved_share": 0.2}, "moved", checks.PASSED),
        ({"max_moved_share": 0.19}, "moved", checks.BROKEN),
        ({"min_share": 0.31}, "min_share", checks.BROKEN),
    ],
)
def test_limits_of_the_definition_are_guards(connection, keys: dict, name: str, result: str):
    after = definition(("high", "x >= 7"), ("middle", "x >= 5"), ("low", ""), **keys)
    assert results(connection, after)[name] == result


def test_a_segment_that_is_left_empty_breaks_the_guard_and_one_that_was_empty_does_not(connection):
    assert (
        results(connection, definition(("high", "x >= 99"), ("middle", "x >= 4"), ("low", "")))["empty"]
        == checks.BROKEN
    )
    gone = definition(("high", "x >= 8"), ("ghost", "x > 99"), ("middle", "x >= 4"), ("low", ""))
    assert results(connection, gone)["empty"] == checks.NOTED


def test_a_segment_that_was_too_small_before_blocks_only_a_change_that_makes_it_smaller(connection):
    def result(high: str) -> str:
        after = definition(
            ("high", high), ("middle", "x >= 4"), ("low", ""), min_share=0.3, max_moved_share=1
        )
        return results(connection, after).get("min_share", "within")

    assert result("x >= 8 or x = 0") == "within"
    assert result("x >= 8 and true") == checks.NOTED
    assert result("x >= 9") == checks.BROKEN


def test_shares_of_overlapping_segments_are_of_everybody_whom_the_segmentation_looks_at(connection):
    def audience(when: str) -> Definition:
        expression = f"case when true then nullif(concat_ws('|', case when {when} then 'top' end), '') end"
        made = definition(("top", when), assignment="all_matches", max_share=0.5)
        return replace(made, assignment="all_matches", expression=expression)

    before, after = audience("x >= 8"), audience("x >= 7")
    found = effect.measure(connection, "features", DAY, before, after, {})
    assert found.total.customers == 10
    assert found.moved.customers == 1
    points = {point.name: point.result for point in checks.check([], [found], {}, [after])}
    assert points == {"moved": checks.PASSED, "sizes": checks.PASSED}


def test_what_goes_is_told_to_its_readers_and_blocks_unless_it_was_deprecated(connection):
    gone = effect.measure(connection, "features", DAY, BEFORE, None, {})
    assert [point.result for point in checks.check([], [gone], {}, [])] == [checks.BROKEN]
    told = [segment | {"deprecated": {"ends_on": "2026-01-31"}} for segment in BEFORE.segments]
    gone = effect.measure(connection, "features", DAY, replace(BEFORE, segments=told), None, {})
    assert [point.result for point in checks.check([], [gone], {}, [])] == [checks.NOTED]


def test_what_cannot_be_measured_blocks(connection):
    (point,) = checks.check([], [], {"tier": "this input lacks customers.kind"}, [])
    assert (point.name, point.result) == ("not measured", checks.BROKEN)


def test_a_cluster_that_is_named_by_hand_moves_nobody():
    def clusters(*names: str) -> Definition:
        segments = [{"name": name, "label": {"en": name}} for name in names]
        return replace(BEFORE, assignment="learned", segments=segments, written={"question": "?"})

    found = changes.changes_of(clusters("cluster_1"), clusters("cluster_2"))
    assert not [change for change in found if change.is_rule]
    assert changes.renamed_segments(clusters("cluster_1"), clusters("cluster_2")) == {}


def test_two_databases_tell_other_data_from_another_fit(connection):
    connection.execute("create schema base")
    connection.execute("create table base.features as select *, x % 3 as score, 'r' as region from features")
    # the region is of nobody's concern here
    connection.execute("create table now as select *, (x + 1) % 3 as score, 'R' as region from features")
    connection.execute("update now set revenue_12m = 5000 where x < 3")
    by_score = replace(BEFORE, expression="case when score = 0 then 'a' else 'b' end")
    facts = {"x": "features_rfm", "revenue_12m": "features_rfm", "region": "features_attributes"}
    by_score = replace(by_score, columns=["score"])
    found = effect.compare_databases(connection, "now", "base.features", DAY, by_score, facts)
    # 0 leaves a, 2 comes into it: their revenue differs. 3, 6, 9 leave and 5, 8 come by their score alone
    assert found == effect.DataEffect(data=2, refit=5)
