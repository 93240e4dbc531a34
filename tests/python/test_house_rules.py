"""Every model says what a row is, and a data test holds it to that."""

import pytest

# why no test of their own proves that their rows are what they say
GRAIN_FOLLOWS = {
    "order_days": "it is grouped by what a row is for",
    "visits": "it is grouped by what a row is for",
    "category_months": "it is grouped by what a row is for, and the category may be empty",
    "customer_periods": "it is grouped by what a row is for",
    "customer_features": "it is latest_features and the rows of earlier dates that stand beside those",
    "customer_dates": "known_customers and as_of_dates, whose pairs it has, are tested",
    "segment_membership": "it is segment_history, which is tested, in long form; segments have unique names",
    "segment_counts": "it is grouped by what a row is for, and the place may be empty",
    "segment_transitions": "it is grouped by what a row is for, and segments may be empty",
    "segment_moves": "it is grouped by what a row is for; segment_migration shows its rows",
    "segment_migration": "segments may be empty there: tests/marts/migration_rows_are_unique.sql",
    "rejected_rows": "a row that is delivered twice is rejected twice",
}
# views by customer, date and fit: to test them would put all dates together
SCORES = "latest_features joins it by customer, date and fit, and has one row per customer"
GRAIN_FOLLOWS |= dict.fromkeys(
    ("score_cluster", "score_expectations", "score_lifetime", "score_next_order"), SCORES
)
GRAIN_FOLLOWS["score_heuristics"] = "evaluation_holdout joins it by customer, date and fit, and is tested"
GRAIN_FOLLOWS |= dict.fromkeys(("score_rfm", "score_rhythm", "score_value"), SCORES)
PLACES = (
    "a segmentation has a row for a row of customer_features, as segment_assignments has, which is tested"
)


@pytest.fixture(scope="session")
def models(project) -> dict[str, object]:
    nodes = project.manifest.nodes.values()
    return {node.name: node for node in nodes if node.resource_type == "model"}


@pytest.fixture(scope="session")
def marts(models) -> dict[str, object]:
    return {name: node for name, node in models.items() if folder(node) == "marts"}


@pytest.fixture(scope="session")
def with_grain_test(project) -> set[str]:
    nodes = project.manifest.nodes.values()
    tests = [node for node in nodes if getattr(node, "test_metadata", None)]
    return {
        project.manifest.nodes[test.attached_node].name
        for test in tests
        if test.test_metadata.name in ("unique", "unique_together")
        and test.config.severity.lower() == "error"
        and test.attached_node in project.manifest.nodes
    }


def folder(node) -> str:
    return node.fqn[1]


def test_there_are_models_in_every_layer(models):
    layers = {"staging", "features", "fits", "scores", "evaluation", "segments", "marts", "metrics"}
    assert {folder(node) for node in models.values()} == layers


def test_every_description_says_what_a_row_is(models):
    vague = [
        name
        for name, node in models.items()
        if not node.description.strip().startswith(("One row per ", "One row for "))
    ]
    assert vague == []


def test_every_mart_has_an_enforced_contract(marts):
    assert [name for name, node in marts.items() if not node.config.contract.enforced] == []


def test_every_column_of_a_mart_has_a_description(marts):
    columns = [(name, column) for name, node in marts.items() for column in node.columns.values()]
    assert [f"{name}.{column.name}" for name, column in columns if not column.description.strip()] == []


def test_every_grain_is_tested_where_it_does_not_follow(models, with_grain_test):
    tested_layers = ("features", "fits", "scores", "evaluation", "segments", "marts")
    untested = {name for name, node in models.items() if folder(node) in tested_layers} - with_grain_test
    segmentations = {name for name, node in models.items() if "segmentation" in node.config.meta}
    assert untested == set(GRAIN_FOLLOWS) | segmentations, PLACES


ROOMS = ("staging", "features", "fits", "scores", "evaluation", "segments", "marts", "metrics")


def test_data_flows_one_way_through_the_rooms(models):
    """Each room reads itself and those to its left."""
    of_this_project = {
        node.unique_id: node
        for node in models.values()
        if node.package_name == "customer_segmentation" and folder(node) in ROOMS
    }
    assert {folder(node) for node in of_this_project.values()} == set(ROOMS)
    backwards = [
        f"{node.name} reads {of_this_project[parent].name}"
        for node in of_this_project.values()
        for parent in node.depends_on.nodes
        if parent in of_this_project
        and ROOMS.index(folder(of_this_project[parent])) > ROOMS.index(folder(node))
    ]
    assert backwards == []
