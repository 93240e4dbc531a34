"""The demo shop builds whole, and every unit test of dbt holds. The first file: others read the demo."""

import shutil
from pathlib import Path

import pytest
from conftest import Outcome, Project

# each part takes about as long as the others, so that workers share them
PARTS = {
    "staging and features": "path:models/staging path:models/features",
    "fits and scores": "path:models/fits path:models/scores path:models/evaluation",
    "segments": "path:models/segments",
    "marts": "path:models/marts path:models/metrics",
}


def test_the_demo_builds_and_meets_every_data_test(demo: Outcome):
    assert demo.rows("select count(*) > 2000 from marts.customers") == [(True,)]
    (customers, products) = sorted(demo.warnings)  # it has bad rows on purpose
    assert (
        "The input customers has 2,466 rows (not counting 4 copies), and 81 of them (3.3 %) are rejected"
        in customers
    )
    assert (
        "The input products has 272 rows (not counting 3 copies), and 20 of them (7.4 %) are rejected"
        in products
    )


@pytest.mark.parametrize("part", PARTS)
def test_every_unit_test_holds(project: Project, demo: Outcome, tmp_path: Path, part: str):
    """On a copy of the demo, from whose tables dbt takes the types of columns that a test doesn't give."""
    (tmp_path / "build").mkdir()
    shutil.copy(demo.database, tmp_path / "build")
    chosen = [f"{place},test_type:unit" for place in PARTS[part].split()]
    outcome = project.dbt(tmp_path, "test", "--select", *chosen)
    assert outcome.success, outcome.message
    assert len(outcome.result.results) > 5


def test_every_unit_test_is_in_one_part(project: Project):
    folders = [place.removeprefix("path:") for part in PARTS.values() for place in part.split()]
    for test in project.manifest.unit_tests.values():
        assert sum(test.original_file_path.startswith(f"{folder}/") for folder in folders) == 1, test.name
