"""The pages of tables and columns: every column of the marts can be traced, and nothing is fetched."""

import base64
import json
import re
import shutil
import sys

import pytest
from click.testing import CliRunner

from customer_segmentation import docs_pages, inputs
from customer_segmentation.cli import main
from customer_segmentation.inputs import Input

DEMO = Input("demo")
DATA = re.compile(r'window\.colibriData = JSON\.parse\(atob\("([^"]+)"\)\)')
FETCHED = re.compile(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"']?https?://")


def test_without_the_package_it_says_what_to_run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "dbt_colibri.lineage_extractor.extractor", None)
    outcome = CliRunner().invoke(main, ["docs"])
    assert outcome.exit_code == 1
    assert "make docs" in outcome.output
    assert "requirements-docs.lock" in outcome.output


def test_the_pages_say_where_columns_come_from_and_fetch_nothing(
    demo, project, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    for module in (inputs, docs_pages):
        monkeypatch.setattr(module, "PROJECT", project.root)
    monkeypatch.setenv("DBT_PROFILES_DIR", str(project.root))
    shutil.copy(demo.database, DEMO.database)
    said = []
    index = docs_pages.write(DEMO, said.append, tmp_path)
    assert said == ["Reading the tables and columns ...", "Tracing the columns ..."]  # and nothing untraced
    first, columns = (path.read_text("utf-8") for path in (index, tmp_path / docs_pages.COLUMNS))
    assert docs_pages.COLUMNS in first
    assert "window.colibriTelemetry = false" in columns
    assert not FETCHED.search(first)
    assert not FETCHED.search(columns)
    lineage = json.loads(base64.b64decode(DATA.search(columns)[1]))["lineage"]
    keys = ("source", "target", "sourceColumn", "targetColumn")
    edges = {tuple(edge.get(key, "").split(".")[-1] for key in keys) for edge in lineage["edges"]}
    # through a union, which later versions of sqlglot hide from dbt-colibri
    assert ("customers", "segment_profiles", "revenue_12m", "revenue_12m") in edges
    assert ("segment_moves", "segment_kpis", "won_back", "won_back") in edges
