"""Fits stand apart from what applies them: stored ones give the same scores, too little data gives none."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from conftest import Outcome, Project

FITTED = ["--exclude", "tag:fit"]
LEARNED = "expected_orders_365d, churn_probability, next_order_probability, nearest_cluster"


@pytest.fixture
def stored(demo, tmp_path) -> Outcome:
    """A copy of the demo's database."""
    (tmp_path / "build").mkdir()
    shutil.copy(demo.database, tmp_path / "build")
    return Outcome(
        demo.success, demo.message, demo.warnings, demo.result, tmp_path / "build" / demo.database.name
    )


@pytest.mark.long
def test_the_stored_fits_give_the_same_scores_and_marts(
    project: Project, demo: Outcome, stored: Outcome, tmp_path
):
    applied = project.run(tmp_path, *FITTED)
    ran = {result.node.name for result in applied.result.results}
    assert "customer_features" in ran
    assert not [result.node.name for result in applied.result.results if "fit" in result.node.tags]
    scores = "select * from segments.customer_features order by customer_id, as_of_date"
    assert applied.rows(scores) == demo.rows(scores)
    assert applied.marts() == demo.marts()


def test_dates_after_the_last_fit_are_scored_by_it(project: Project, stored: Outcome, tmp_path):
    """Nothing is fitted for the later date, so its scores come from the fits that are there."""
    project.run(tmp_path, *FITTED, as_of_date="2026-07-31")
    dates = stored.rows("""
        select fits.as_of_date::text, cutoffs_on::text, learned_on::text from scores.fits_in_use as fits
        where fits.as_of_date = fits.fitted_on order by 1 desc limit 2
    """)
    assert dates == [("2026-07-31", "2026-06-17", "2026-03-31"), ("2026-06-30", "2026-06-17", "2026-03-31")]
    ((buyers, scored, learned),) = stored.rows("""
        select count(*), count(recency_score), count(expected_orders_365d) from segments.customer_features
        where as_of_date = '2026-07-31' and lifetime_orders > 0
    """)
    assert buyers == scored == learned > 0


@pytest.mark.parametrize(
    ("variable", "value", "made_with"),
    [
        ("next_order_days", 60, "30"),
        ("churn_days", 60, "90"),
        ("cluster_method", "gaussian_mixture", "kmeans"),
        ("lifetime_model", "pareto_nbd", "bg_nbd"),
        ("rfm_cutoffs", {"recency": [30, 60, 120, 240]}, "{}"),
    ],
)
def test_fits_that_were_made_with_another_variable_are_not_applied(
    project: Project, stored: Outcome, tmp_path, variable: str, value, made_with: str
):
    """A model of 30 days would be published as one of 60."""
    before = stored.rows("select distinct next_order_days from marts.customers")
    refused = project.dbt(tmp_path, "run", *FITTED, **{variable: value})
    assert not refused.success
    assert f"The variable {variable} is " in refused.message
    assert f"the stored fits were made with {made_with}. Fit anew with make build" in refused.message
    assert stored.rows("select distinct next_order_days from marts.customers") == before


@pytest.fixture(scope="module")
def small(project: Project, tmp_path_factory) -> Outcome:
    """A shop of a dozen customers."""
    folder = tmp_path_factory.mktemp("small")
    path = folder / "orders.csv"
    start = date(2025, 1, 1)
    rows = [f"c{n % 12},{start + timedelta(n * 7)},{10 + n % 5}" for n in range(60)]
    path.write_text("\n".join(["customer_id,ordered_at,amount", *rows, ""]), encoding="utf-8")
    return project.build(folder, inputs={"orders": {"file": str(path)}})


def test_too_little_data_leaves_the_learned_scores_empty_and_the_build_green(small: Outcome):
    ((customers, *known),) = small.rows(f"""
        select count(*), {", ".join(f"count({column})" for column in LEARNED.split(", "))}
        from segments.customer_features where lifetime_orders > 0
    """)
    assert customers > 0
    assert known == [0] * 4
    assert small.rows("select count(*) from marts.customers where lifetime_orders > 0") == [(12,)]
    assert small.rows("select * from marts.core_customers") == []


def test_too_little_data_is_said_with_what_is_needed(small: Outcome):
    notes = dict(
        small.rows("select score, string_agg(distinct note, ' ') from marts.model_evaluation group by score")
    )
    for score in ("expected_orders_90d", "churn_probability", "learned_order_probability", "clusters"):
        assert any(character.isdigit() for character in notes[score]), notes


def test_a_fit_that_failed_is_named_in_a_warning_with_the_scores_that_are_empty(
    project: Project, demo: Outcome, tmp_path: Path
):
    (tmp_path / "build").mkdir()
    shutil.copy(demo.database, tmp_path / "build")
    with duckdb.connect(str(tmp_path / "build" / demo.database.name)) as connection:
        latest = "fitted_on = (select max(fitted_on) from fits.fit_lifetime)"
        connection.execute(f"delete from fits.fit_lifetime where {latest} and parameter <> 'r'")
        connection.execute(
            "update fits.fit_lifetime set parameter = 'problem', value = null, note = 'it rained' "
            f"where {latest}"
        )
    said = project.dbt(tmp_path, "run-operation", "warn_of_failed_fits").warnings
    (failed,) = [text for text in said if " failed: it rained" in text]
    assert failed.startswith("The lifetime fit of")
    assert "expected_orders_90d" in failed
    assert "churn_probability" in failed


def test_where_there_never_was_enough_data_nothing_has_failed(small: Outcome):
    assert [text for text in small.warnings if " failed: " in text] == []


def test_a_fit_that_succeeded_is_not_warned_of(demo: Outcome):
    assert [text for text in demo.warnings if " failed: " in text] == []
