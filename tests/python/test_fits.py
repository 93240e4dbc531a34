"""Fits stand apart from what applies them: stored ones give the same scores, too little data gives none."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from conftest import Outcome, Project

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
def test_another_build_makes_no_fit_and_gives_the_same_scores_and_marts(
    project: Project, demo: Outcome, stored: Outcome, tmp_path
):
    again = project.run(tmp_path)
    assert again.rows("fits.fits_due") == []
    scores = "select * from segments.customer_features order by customer_id, as_of_date"
    assert again.rows(scores) == demo.rows(scores)
    assert again.marts() == demo.marts()


IN_USE = """
    select fits.as_of_date::text, cutoffs_on::text, learned_on::text from scores.fits_in_use as fits
    where fits.as_of_date = fits.fitted_on order by 1 desc limit 2
"""


def test_dates_after_the_last_fit_are_scored_by_it_until_another_is_due(
    project: Project, stored: Outcome, tmp_path
):
    fits = "select distinct fitted_on::text from fits.fit_lifetime order by 1"
    before = stored.rows(fits)
    fitted = ["--select", "+fit_lifetime", "+fit_rfm_cutoffs", "fits_in_use"]
    project.run(tmp_path, *fitted, as_of_date="2026-06-25")
    assert stored.rows(fits) == before
    assert stored.rows(IN_USE) == [
        ("2026-06-25", "2026-06-25", "2026-03-31"),
        ("2026-05-31", "2026-05-31", "2026-03-31"),
    ]
    project.run(tmp_path, *fitted, as_of_date="2026-07-31")
    assert stored.rows(fits) == [*before, ("2026-06-30",)]
    assert stored.rows(IN_USE) == [
        ("2026-07-31", "2026-07-31", "2026-06-30"),
        ("2026-06-30", "2026-06-30", "2026-06-30"),
    ]


@pytest.mark.parametrize(
    ("variable", "value", "fits"),
    [
        ("next_order_days", 60, {"fit_next_order", "fit_outcome_rates"}),
        ("churn_days", 60, {"fit_outcome_rates"}),
        ("cluster_method", "gaussian_mixture", {"fit_clusters"}),
        ("lifetime_model", "pareto_nbd", {"fit_lifetime"}),
        ("rfm_cutoffs", {"recency": [30, 60, 120, 240]}, {"fit_outcome_rates"}),
        ("core_share", 0.5, set()),
    ],
)
def test_fits_that_were_made_with_another_variable_are_made_anew_at_all_dates(
    project: Project, stored: Outcome, tmp_path, variable: str, value, fits: set[str]
):
    """A model of 30 days would be published as one of 60."""
    due = project.run(tmp_path, "--select", "fit_dates", "fits_due", **{variable: value})
    dates = {day for (day,) in stored.rows("select fitted_on from fits.fit_dates")}
    assert set(due.rows("select fit, fitted_on from fits.fits_due")) == {
        (fit, day) for fit in fits for day in dates
    }


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
