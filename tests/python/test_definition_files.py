"""The files of definitions: their schema, which editors read, and the command that writes new ones."""

import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from conftest import PROJECT, Project
from test_segment_definitions import DEFINITIONS, GOOD, LEARNED, MISTAKES, SHARED, definition_in

from customer_segmentation.cli import main
from customer_segmentation.definitions import scaffold, schema
from customer_segmentation.definitions.files import DefinitionError
from customer_segmentation.definitions.language import read_language
from customer_segmentation.promotion import Cluster

SCHEMA = json.loads(schema.SCHEMA.read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)

# what depends on columns, on other segments, on the calendar or on the meaning of a condition
ONLY_THE_BUILD_SEES = [
    "there is no column ",
    "there is no function ",
    "doesn't belong to a condition",
    "the condition ho",
    "holds a comment",
    "the condition has ",
    "columns stand without quotes",
    "population: ",
    "`otherwise` is 'ontime'",
    "it is `otherwise`",
    "it has no `when`",
    "there are two of this name",
    "has no rank, but others have",
    "that is a word of SQL",
    "no share is both",
    "`versus` is",
    "'2027-02-30'",
    "`use` ",
    "`extends` is 'lat'",
    "`extends` is 'rf",
    "`extends` is 'cluster",
    "`extends` is 'very_late'",
]


def as_file(definition: object) -> dict:
    """Return a property file with a definition, as a reader of JSON sees it."""
    meta = {} if definition is None else {"segmentation": definition}
    return json.loads(
        json.dumps({"models": [{"name": "segments_x", "config": {"meta": meta}}]}, default=date.isoformat)
    )


def test_the_schema_itself_is_one():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert list(read_language()) == ["segmentation", "segment", "label", "treatment", "expect", "deprecated"]


def test_schema_and_guide_say_what_the_macro_says():
    assert schema.is_in_sync(), "write them anew: segmentation schema"


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "models" / "segments").glob("s*.yml")), ids=lambda p: p.stem
)
def test_editors_find_the_schema_of_every_definition_and_it_is_met(path: Path):
    text = path.read_text(encoding="utf-8")
    first_line = text.partition("\n")[0]
    assert (
        path.parent / first_line.removeprefix("# yaml-language-server: $schema=")
    ).resolve() == schema.SCHEMA
    VALIDATOR.validate(json.loads(json.dumps(yaml.safe_load(text), default=date.isoformat)))


def test_good_definitions_meet_the_schema():
    everything = GOOD | {
        "min_share": 0.02,
        "segments": [
            GOOD["segments"][0]
            | {
                "expect": [{"metric": "orders_next_90d", "versus": "population", "direction": "lower"}],
                "deprecated": {"ends_on": date(2027, 3, 31), "use": "rfm.lost"},
                "extends": "rfm.champions",
                "max_share": 0.5,
            },
            GOOD["segments"][1],
        ],
    }
    for definition in [GOOD, LEARNED, everything, *DEFINITIONS.values()]:
        VALIDATOR.validate(as_file(definition))
    VALIDATOR.validate({"models": [{"name": "words", "config": {"meta": {"shared_conditions": SHARED}}}]})


@pytest.mark.parametrize("message", MISTAKES)
def test_an_editor_sees_the_mistakes_that_can_be_seen_in_the_file_alone(message: str):
    needs_the_build = any(part in message for part in ONLY_THE_BUILD_SEES)
    assert VALIDATOR.is_valid(as_file(MISTAKES[message])) == needs_the_build


@pytest.fixture(scope="module")
def project_with_new(tmp_path_factory) -> tuple[Project, str]:
    """A copy of the project with a segmentation that the command wrote, and what the command said."""
    copy = Project(tmp_path_factory.mktemp("new") / "copy")
    folder = copy.root / "models" / "segments"
    arguments = ["new", "punctuality", "--owner", "crm: online", "--folder", str(folder)]
    outcome = CliRunner().invoke(main, [*arguments, "--question", 'Who is "late"?', "--basis", "journey"])
    assert outcome.exit_code == 0, outcome.output
    return copy, outcome.output


def test_a_new_segmentation_builds_and_its_unit_test_passes_as_it_is_written(
    project_with_new, demo, tmp_path: Path
):
    copy, said = project_with_new
    folder = tmp_path / "build"
    folder.mkdir()
    (folder / "shop.duckdb").write_bytes(demo.database.read_bytes())
    built = copy.dbt(
        tmp_path, "build", "--select", "segments_punctuality", segmentations=["rfm", "punctuality"]
    )
    assert built.success, built.message
    kinds = [result.node.resource_type for result in built.result.results]
    assert kinds.count("unit_test") == 1
    assert dict(built.rows("select segment, count(*) > 9 from segments.segments_punctuality group by 1")) == {
        "ordered_lately": True,
        "all_others": True,
    }
    assert "segments_punctuality.yml" in said and "`segmentations`" in said


def test_a_new_segmentation_is_found_by_editors_and_keeps_what_was_said_of_it(project_with_new):
    copy, _ = project_with_new
    path = copy.root / "models" / "segments" / "segments_punctuality.yml"
    written = definition_in(path)
    assert (written["owner"], written["question"]) == ("crm: online", 'Who is "late"?')
    VALIDATOR.validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    schema_line = path.read_text(encoding="utf-8").partition("\n")[0]
    assert schema_line == "# yaml-language-server: $schema=../../schemas/segmentation.schema.json"


def test_nothing_is_written_over_nor_outside_of_a_project(project_with_new, tmp_path: Path):
    folder = project_with_new[0].root / "models" / "segments"
    for arguments, said in {
        ("rfm", folder): "segments_rfm.yml is there already",
        ("Very late", folder): "can't be called 'Very late'",
        ("late", tmp_path): "is in no dbt project",
        ("late", tmp_path / "nowhere"): "There is no folder",
    }.items():
        name, where = arguments
        outcome = CliRunner().invoke(main, ["new", name, "--owner", "crm", "--folder", str(where)])
        assert outcome.exit_code == 1
        assert said in outcome.output
    outcome = CliRunner().invoke(main, ["new", "late", "--owner", "crm", "--basis", "mood"])
    assert "There is no basis 'mood'. There is demographic, geographic" in outcome.output


@pytest.mark.parametrize("name", ["select", "lifetime_orders", "recency_score"])
def test_a_segmentation_is_not_written_under_a_name_that_the_checks_refuse(tmp_path: Path, name: str):
    (tmp_path / "dbt_project.yml").write_text("name: shop", encoding="utf-8")
    why = "a word of SQL" if name == "select" else "a feature"
    with pytest.raises(DefinitionError, match=f"can't be called '{name}': that is {why}"):
        scaffold.new(name, "crm", None, "behavioural", tmp_path)
    assert not list(tmp_path.glob("segments_*"))


def test_a_cluster_is_not_promoted_under_a_word_of_sql():
    values = ("", "", 0.5, None, 0.5, 1.0, 1.0, 1.0, date(2026, 6, 30))
    names = [Cluster("cluster_1", label, *values).segment for label in ("All", "Regulars, often")]
    assert names == ["cluster_1", "regulars_often"]
