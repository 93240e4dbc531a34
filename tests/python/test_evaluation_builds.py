"""The evaluation of a build: what it rests on, what a score that loses leads to, what is kept of fits."""

import shutil
from dataclasses import replace
from datetime import timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import Outcome, Project
from sklearn.metrics import roc_auc_score

JUDGED = [
    "score_next_order",
    "evaluation_holdout",
    "fit_evaluation",
    "score_choices",
    "score_expectations",
    "model_evaluation",
]


def copy_of(outcome: Outcome, folder) -> None:
    """Put a copy of a database where dbt runs in a folder."""
    (folder / "build").mkdir(parents=True)
    shutil.copy(outcome.database, folder / "build")


HORIZONS = {
    "expected_orders_90d": 90,
    "expected_orders_365d": 365,
    "expected_revenue_90d": 90,
    "expected_revenue_365d": 365,
    "churn_probability": 90,
    "learned_order_probability": 30,
    "clusters": 90,
}


def test_every_learned_score_is_judged_at_every_fit_whose_window_is_over_and_else_says_why_not(demo):
    ((latest,),) = demo.rows("select as_of_date from staging.as_of_dates where is_latest")
    fit_dates = [day for (day,) in demo.rows("select fitted_on from fits.fit_dates")]
    not_fitted = set(
        demo.rows("select fitted_on from fits.fit_next_order where feature = '(fit)' and metric = 'problem'")
    )
    judged, waiting, failed = set(), set(), set()
    for score, days in HORIZONS.items():
        for day in fit_dates:
            if score == "learned_order_probability" and (day,) in not_fitted:
                failed.add((score, day))
            elif day + timedelta(days) <= latest:
                judged.add((score, day))
            elif score != "clusters":  # of which stability is known at once
                waiting.add((score, day))
    found = demo.rows("""
        select score, as_of_date, max(value) is not null, max(overall_verdict), max(note)
        from marts.model_evaluation
        where heuristic <> '(none)' or metric = '(none)'
        group by score, as_of_date
    """)
    assert {(score, day) for score, day, has_value, *_ in found if has_value} == judged
    assert {(score, day) for score, day, _, verdict, _ in found if verdict} == {
        (score, day) for score, day in judged if score != "clusters"
    }
    notes = {(score, day): note for score, day, has_value, _, note in found if not has_value}
    assert {key for key, note in notes.items() if note == "the outcome window ends after the data"} == waiting
    assert {key for key, note in notes.items() if note and "are needed" in note} == failed
    assert failed
    # of a year as well: the first of 13 month ends is always a year back
    assert {score for score, _ in judged} == set(HORIZONS)
    latest_judged = demo.rows("select distinct score, as_of_date from marts.model_evaluation where is_latest")
    assert {(score, day) for score, day in latest_judged if score != "clusters"} == {
        (score, max(day for other, day in judged if other == score))
        for score in HORIZONS
        if score != "clusters"
    }
    assert "clusters" in dict(latest_judged)


@pytest.mark.parametrize(
    ("score", "came"),
    [
        ("expected_orders_90d", "count(*) filter (placed) - count(*) filter (sent_back)"),
        ("churn_probability", "(count(*) filter (placed) = 0)::int"),
        ("learned_order_probability", "(count(*) filter (placed) > 0)::int"),
    ],
)
def test_what_came_is_what_the_orders_say(demo, score: str, came: str):
    wrong = demo.rows(f"""
        with orders as (
            select
                holdout.customer_id,
                holdout.as_of_date,
                holdout.actual,
                orders.ordered_on > holdout.as_of_date
                and orders.ordered_on <= holdout.outcome_until as placed,
                orders.is_fully_returned
                and orders.returned_on > holdout.as_of_date
                and orders.returned_on <= holdout.outcome_until as sent_back
            from evaluation.evaluation_holdout as holdout
            left join staging.stg_orders as orders
                on holdout.customer_id = orders.customer_id and orders.is_counted
            where holdout.score = '{score}'
        )
        select customer_id, as_of_date, any_value(actual), {came}
        from orders group by customer_id, as_of_date
        having any_value(actual) <> {came}
    """)
    assert wrong == []
    came_at_all = f"select count(distinct actual) from evaluation.evaluation_holdout where score = '{score}'"
    assert demo.rows(came_at_all)[0][0] > 1


def test_the_mart_has_the_metrics_of_the_holdout(demo):
    holdout = demo.frame("select * from evaluation.evaluation_holdout where score = 'churn_probability'")
    mart = demo.frame("""
        select * from marts.model_evaluation
        where score = 'churn_probability' and metric = 'area_under_curve' and heuristic = 'segment mean'
    """).set_index("as_of_date")
    assert not holdout.empty
    for day, rows in holdout.groupby("as_of_date"):
        actual = rows["actual"].astype(float)
        assert mart.loc[day, "value"] == pytest.approx(roc_auc_score(actual, rows["predicted"].astype(float)))
        assert mart.loc[day, "heuristic_value"] == pytest.approx(
            roc_auc_score(actual, rows["segment_mean"].astype(float))
        )
        assert mart.loc[day, "customers"] == len(rows)


def test_bins_of_the_calibration_add_up_to_the_holdout(demo):
    differing = demo.rows("""
        with bins as (
            select
                score,
                as_of_date,
                sum(customers) as customers,
                sum(customers * mean_predicted) as predicted,
                sum(customers * mean_actual) as actual
            from marts.calibration
            where segmentation = '(all)' and bin > 0
            group by all
        )
        select *
        from bins
        full join (
            select
                score,
                as_of_date,
                count(*) as customers,
                sum(predicted) as predicted,
                sum(actual) as actual
            from evaluation.evaluation_holdout
            where kind <> 'group'
            group by all
        ) as holdout using (score, as_of_date)
        where (bins.customers = holdout.customers and abs(bins.predicted / holdout.predicted - 1) < 1e-6
            and abs(bins.actual - holdout.actual) < 0.01) is not true
    """)
    assert differing == []


@pytest.fixture(scope="module")
def upside_down_project(tmp_path_factory) -> Project:
    """A copy of the project with a score for the next order that is the wrong way round."""
    project = Project(tmp_path_factory.mktemp("upside_down") / "copy")
    path = next(project.root.glob("models/**/score_next_order.sql"))
    turned = "select * replace (1 - learned_order_probability as learned_order_probability)"
    path.write_text(f"{turned} from (\n{path.read_text(encoding='utf-8')}\n) as learned", encoding="utf-8")
    return project


@pytest.fixture
def upside_down(built_upside_down, tmp_path) -> Outcome:
    """The demo with such a score; a copy of its own for each test."""
    copy_of(built_upside_down, tmp_path / "shop")
    return replace(built_upside_down, database=tmp_path / "shop" / "build" / built_upside_down.database.name)


@pytest.fixture(scope="module")
def built_upside_down(demo, upside_down_project, tmp_path_factory) -> Outcome:
    folder = tmp_path_factory.mktemp("upside_down_build")
    copy_of(demo, folder / "shop")
    with duckdb.connect(str(folder / "shop" / "build" / demo.database.name)) as connection:
        for judged in ("evaluation_holdout", "fit_evaluation"):  # which are judged once
            connection.execute(f"drop table evaluation.{judged}")
    return upside_down_project.run(folder / "shop", "--select", *JUDGED)


def test_a_score_that_loses_is_named_in_a_warning(upside_down):
    warnings = [text for text in upside_down.warnings if text.startswith("learned_order_probability lost")]
    assert len(warnings) == 1
    assert "lost to the segment mean on the holdout after 2026-03-31" in warnings[0]
    assert "area_under_curve 0." in warnings[0]
    verdicts = upside_down.rows("""
        select distinct overall_verdict, replaced_by, is_offered from marts.model_evaluation
        where score = 'learned_order_probability' and customers is not null
    """)
    assert verdicts == [("worse", "segment mean", False)]


def test_a_score_that_lost_is_not_offered_from_the_first_date_on_that_knows(upside_down, demo):
    bases = dict(
        upside_down.rows("""
            select fitted_on, string_agg(distinct next_order_basis, ', ') from evaluation.score_expectations
            where next_order_basis <> 'not fitted'
            group by fitted_on
        """)
    )
    # the first model is of the end of September: a month later it had lost, two months before the next fit
    ((first_known,),) = upside_down.rows("""
        select min(outcome_until) from marts.model_evaluation
        where score = 'learned_order_probability' and overall_verdict = 'worse'
    """)
    expected = {day: "segment mean" if day >= first_known else "learned" for day in bases}
    assert set(expected.values()) == {"segment mean", "learned"}
    assert min(day for day in bases if expected[day] == "segment mean").month == 10
    assert bases == expected
    differing = upside_down.rows("""
        select expectations.next_order_probability, heuristics.segment_mean_next_order
        from evaluation.score_expectations as expectations
        inner join scores.fits_in_use as fits using (as_of_date, fitted_on)
        inner join scores.score_heuristics as heuristics
            on expectations.customer_id = heuristics.customer_id
            and expectations.as_of_date = heuristics.as_of_date
            and fits.learned_on = heuristics.fitted_on
        where next_order_basis = 'segment mean'
        and next_order_probability is distinct from segment_mean_next_order
    """)
    assert differing == []
    same = "select * from evaluation.score_choices where offer <> 'next_order' order by all"
    assert upside_down.rows(same) == demo.rows(same)


OFFERED_THOUGH_IT_LOST = """
    select * from marts.model_evaluation where is_latest and is_offered and overall_verdict = 'worse'
"""


def test_no_score_is_offered_that_lost_when_it_was_last_judged(upside_down):
    assert upside_down.rows(OFFERED_THOUGH_IT_LOST) == []


@pytest.mark.long
def test_dates_that_come_after_the_last_fit_are_offered_no_loser(upside_down, upside_down_project):
    later = upside_down_project.run(upside_down.database.parents[1], as_of_date="2026-07-31")
    bases = later.rows(
        "select distinct next_order_basis from evaluation.score_expectations where as_of_date = '2026-07-31'"
    )
    assert bases == [("segment mean",)]
    assert later.rows(OFFERED_THOUGH_IT_LOST) == []
    # windows that ended on 29 June, twelve days after the data of the build before, are judged now
    verdicts = later.rows("""
        select score, overall_verdict is not null from marts.model_evaluation
        where as_of_date = '2026-03-31' and horizon_days = 90 and fit = 'lifetime'
    """)
    assert verdicts and all(is_judged for _, is_judged in verdicts)


def history(outcome: Outcome) -> pd.DataFrame:
    """Return what is on record, without when it was built."""
    return outcome.frame("select * exclude (first_built_at) from evaluation.fit_history order by all")


@pytest.fixture(scope="module")
def refitted(project, demo, tmp_path_factory) -> list[pd.DataFrame]:
    """The history of the demo: as built; after the same again; with cut-offs by hand; by these everywhere."""
    folder = tmp_path_factory.mktemp("history")
    copy_of(demo, folder / "shop")
    fits = ["--select", "fit_rfm_cutoffs", "fit_parameters", "fit_history"]
    by_hand = {"rfm_cutoffs": {"recency": [30, 60, 120, 240]}}
    return [
        history(demo),
        history(project.run(folder / "shop", *fits)),
        history(project.run(folder / "shop", *fits, **by_hand)),
        history(project.run(folder / "shop", *fits, "--full-refresh", **by_hand)),
    ]


def added(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return what was added to the history, from which nothing may have gone."""
    both = after.merge(before, how="outer", indicator=True)
    assert (both["_merge"] == "right_only").sum() == 0
    return both[both["_merge"] == "left_only"]


def test_a_fit_that_comes_out_as_before_adds_nothing_to_the_history(refitted):
    built, again, *_ = refitted
    pd.testing.assert_frame_equal(built, again)


def test_a_new_version_is_added_beside_the_old_one(refitted):
    """Of the latest date, and of all with --full-refresh."""
    built, _, by_hand, refreshed = refitted
    dates = set(built[built["fit"] == "rfm_cutoffs"]["fitted_on"])
    for new, fitted_on in (
        (added(built, by_hand), {max(dates)}),
        (added(by_hand, refreshed), dates - {max(dates)}),
    ):
        assert set(new["fit"]) == {"rfm_cutoffs"}
        assert set(new["fitted_on"]) == fitted_on
        assert not set(new["fit_version"]) & set(built["fit_version"])


def test_drift_is_what_the_values_of_the_two_dates_say(demo):
    """Bins from the bounds of the day of the fit, and the index over them, once more by numpy."""
    drift = demo.frame("select * from marts.drift")
    values = demo.frame("select feature, as_of_date, value from fits.fit_feature_values")
    values["value"] = values["value"].astype(float)
    by_date = {key: rows["value"].to_numpy() for key, rows in values.groupby(["feature", "as_of_date"])}
    bounds = demo.frame("select * from fits.fit_feature_bins where bin between 1 and 9 order by bin")
    upper = {key: rows["upper_bound"].astype(float) for key, rows in bounds.groupby(["feature", "fitted_on"])}

    def shares(feature: str, day: object, fitted_on: object) -> np.ndarray:
        found = by_date[feature, day]
        bins = np.where(np.isnan(found), 0, 1 + np.searchsorted(upper[feature, fitted_on], found))
        return np.maximum(np.bincount(bins, minlength=11) / len(found), 1e-4)

    expected = []
    for row in drift.itertuples():
        then, now = (shares(row.feature, day, row.fitted_on) for day in (row.fitted_on, row.as_of_date))
        expected.append(np.sum((now - then) * np.log(now / then)))
    found = drift["population_stability_index"].astype(float)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert (found[drift["as_of_date"] != drift["fitted_on"]] > 0).mean() > 0.5
    shifted = drift.assign(shifted=found > 0.25).groupby(["as_of_date", "fit"])["shifted"].transform("any")
    assert (drift["is_stale"].astype(bool) == shifted).all()
