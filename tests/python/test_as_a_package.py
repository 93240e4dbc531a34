"""Another dbt project installs this one: examples/as_a_package, built as its README says."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from conftest import Project

from customer_segmentation.cli import main

OUT_OF_DATE = """
              deprecated: {ends_on: 2025-01-01, use: due}
              hypothesis: Who"""

SCHEMAS = """\
{% macro generate_schema_name(name, node) %}
    {{ 'till_' ~ name if name in ('raw', 'workshop', 'staging') else name or 'main' }}
{% endmacro %}
"""

# a unit test sees no other definition, so it states what it builds upon
BUILT_UPON = """\
        customer_segmentation.other_segmentation: {segments: [{name: champions, when: lifetime_orders >= 1}]}
"""


def dbt(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run dbt as somebody in the folder does, with no profile but the folder's own."""
    without = {name: value for name, value in os.environ.items() if name != "DBT_PROFILES_DIR"}
    command = [str(Path(sys.executable).parent / "dbt"), "--no-use-colors", *arguments]
    return subprocess.run(command, cwd=folder, env=without, capture_output=True, text=True)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with a rule for schemas, a model called like one of the package, one more segmentation."""
    folder = Project(tmp_path_factory.mktemp("package") / "copy").root / "examples" / "as_a_package"
    (folder / "macros").mkdir()
    (folder / "macros" / "schemas.sql").write_text(SCHEMAS, encoding="utf-8")
    (folder / "models" / "customers.sql").write_text("select 'R001' as our_rider", encoding="utf-8")
    definition = folder / "models" / "segments_service.yml"
    text = definition.read_text(encoding="utf-8").replace("\n              hypothesis: Who", OUT_OF_DATE, 1)
    definition.write_text(text.replace("max_share: 0.5", "max_share: 0.05"), encoding="utf-8")

    arguments = ["new", "lately", "--owner", "workshop", "--folder", str(folder / "models")]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    definition = folder / "models" / "segments_lately.yml"
    text = definition.read_text(encoding="utf-8")
    text = text.replace(
        "              when: days", "              extends: rfm.champions\n              when: days", 1
    )
    definition.write_text(
        text.replace("      macros:\n", f"      macros:\n{BUILT_UPON}", 1), encoding="utf-8"
    )
    project = folder / "dbt_project.yml"
    text = project.read_text(encoding="utf-8").replace("lifecycle, service]", "lifecycle, service, lately]")
    project.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def built(workshop: Path) -> str:
    """What dbt says of it."""
    installed = dbt(workshop, "deps")
    assert installed.returncode == 0, installed.stdout
    outcome = dbt(workshop, "build", "--vars", "{history_months: 3}")
    assert outcome.returncode == 0, outcome.stdout[-3000:]
    return outcome.stdout


@pytest.fixture(scope="module")
def shop(workshop: Path, built: str):
    with duckdb.connect(str(workshop / "workshop.duckdb"), read_only=True) as connection:
        yield connection


def test_its_own_segmentation_is_in_all_marts_beside_those_it_chose(shop):
    chosen = [("lately",), ("lifecycle",), ("rfm",), ("service",)]
    for mart in ("segments", "segment_profiles", "segment_membership", "segment_migration", "segment_kpis"):
        found = f"select distinct segmentation from marts.{mart} where segmentation <> '(all)' order by 1"
        assert shop.execute(found).fetchall() == chosen, mart
    (service,) = shop.execute(
        "select count(*) from marts.customers where other_segments like '%service: %'"
    ).fetchone()
    assert service == 60
    covered = "select count(*) from marts.input_coverage where name like 'service.%' and is_present"
    assert shop.execute(covered).fetchall() == [(3,)]


def test_its_shared_condition_is_written_out_in_the_catalogue_and_in_evidence(shop):
    due = "where segmentation = 'service' and segment = 'due'"
    conditions = shop.execute(f"select condition from marts.segments {due}").fetchall()
    assert conditions == [("lifetime_orders >= 3 and days_since_last_order <= 400",)]
    evidence = shop.execute(
        f"select evidence from marts.segment_membership {due} and evidence is not null"
    ).fetchall()
    assert evidence and all(row.startswith("lifetime_orders = ") for (row,) in evidence)


def test_a_segment_of_its_own_builds_on_one_that_comes_along(shop):
    (row,) = shop.execute(
        "select condition from marts.segments where segmentation = 'lately' and condition <> 'otherwise'"
    ).fetchall()
    champions = "recency_score >= 4 and frequency_score = 5 and monetary_score >= 4"
    assert row == (f"{champions} and days_since_last_order <= 30",)
    members = """
        select count(*), count(*) filter (rfm = 'champions' and days_since_last_order <= 30)
        from marts.customers
        where other_segments like '%lately: ordered_lately%'
    """
    ((lately, champions_lately),) = shop.execute(members).fetchall()
    assert lately == champions_lately > 0


def test_its_own_unit_tests_run_and_those_of_the_package_do_not(built: str):
    assert "a_regular_is_due_after_four_months_and_for_a_year" in built
    assert "lately_has_a_customer_on_each_side_of_every_boundary" in built
    assert "2 unit tests" in built


def test_it_is_warned_of_its_own_files_and_of_nothing_else(built: str):
    said = " ".join(built.split())
    file = "models/segments_service.yml"
    assert (
        f"{file}: segment 'seen_lately' was to be used until 2025-01-01, and the data is of 2025-09-28."
        in said
    )
    assert "Use 'due' instead, and delete the segment, or give it a later `ends_on`." in said
    assert f"{file}: segment 'due' has 10.0 % of the customers, more than its `max_share` of 5.0 %." in said
    assert "is not published" not in built
    assert "PackageNode" not in built and "depends on the root project" not in built


def test_a_deprecated_segment_says_until_when_and_what_takes_its_place(shop):
    for mart in ("segments", "segment_profiles"):
        rows = shop.execute(
            f"select segment, cast(deprecated_until as string), replaced_by from marts.{mart} "
            "where deprecated_until is not null"
        ).fetchall()
        assert rows == [("seen_lately", "2025-01-01", "due")], mart


def test_a_model_of_the_same_name_is_not_mistaken_for_the_packages(shop):
    assert shop.execute("select * from till_workshop.customers").fetchall() == [("R001",)]
    assert shop.execute("select count(distinct customer_id) from marts.customers").fetchall() == [(60,)]


def test_the_command_line_reads_what_it_built(workshop: Path, built: str):
    database = str(workshop / "workshop.duckdb")
    told = CliRunner().invoke(main, ["report", "--input", database])
    assert told.exit_code == 0, told.output
    assert "60 customers" in told.output and "revenue EUR" in told.output
    assert "Due for a service" in told.output
    refused = CliRunner().invoke(main, ["build", "--input", database])
    assert refused.exit_code == 1 and "Build it there: dbt build" in refused.output


def test_its_own_rule_for_schemas_holds_for_the_package(shop):
    found = shop.execute("select distinct table_schema from information_schema.tables").fetchall()
    rooms = {"till_staging", "features", "fits", "scores", "evaluation", "segments", "marts"}
    rooms |= {"till_workshop", "till_raw"}
    assert {schema for (schema,) in found} == rooms


def test_a_change_of_a_definition_of_ones_own_is_reviewed(workshop: Path, built: str, tmp_path: Path):
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=Analyst", "-c", "user.email=analyst@example.com"]
        subprocess.run(["git", *identity, *arguments], cwd=workshop, check=True, capture_output=True)

    (workshop / ".gitignore").write_text("dbt_packages/\ntarget/\nlogs/\n*.duckdb\n", encoding="utf-8")
    git("init", "--quiet", "--initial-branch", "main")
    git("add", "--all")
    git("commit", "--quiet", "--message", "As it is")
    path = workshop / "models" / "segments_service.yml"
    was = path.read_text(encoding="utf-8")
    path.write_text(was.replace("120", "160"), encoding="utf-8")
    database = shutil.copy(workshop / "workshop.duckdb", tmp_path)  # the fixture has the other one open
    arguments = ["diff", "--project-dir", str(workshop), "--database", str(database)]
    outcome = CliRunner().invoke(main, [*arguments, "--no-guard", "--format", "json"])
    path.write_text(was, encoding="utf-8")
    assert outcome.exit_code == 0, outcome.output
    found = json.loads(outcome.stdout)
    assert {change["segmentation"] for change in found["changes"]} == {"service"}
    (service,) = found["segmentations"]
    assert service["moved"]["customers"] > 0
    assert found["other_changes"] == {"code": [], "variables": []}
