"""The evaluation of a build: what it rests on, what a score that loses leads to, what is kept of fits."""

import shutil

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


def test_every_learned_score_is_judged_at_every_fit_or_says_why_not(demo):
    scores = {score for (score,) in demo.rows("select distinct score from marts.model_evaluation")}
    assert scores >= {
        "expected_orders_90d",
        "expected_orders_365d",
        "expected_revenue_90d",
        "expected_revenue_365d",
        "churn_probability",
        "learned_order_probability",
        "clusters",
    }
    rows = demo.rows("select count(distinct (score, as_of_date)) from marts.model_evaluation")
    fits = demo.rows("select count(*) from fits.fit_dates")
    assert rows[0][0] == len(scores) * fits[0][0]
    silent = "value is null and verdict is null and note is null"
    assert demo.rows(f"select * from marts.model_evaluation where {silent}") == []
    judged = {
        score for (score,) in demo.rows("select distinct score from marts.model_evaluation where is_latest")
    }
    assert judged >= {"expected_orders_90d", "churn_probability", "learned_order_probability"}


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
            from fits.evaluation_holdout as holdout
            left join staging.stg_orders as orders
                on holdout.customer_id = orders.customer_id and orders.is_counted
            where holdout.score = '{score}'
        )
        select customer_id, as_of_date, any_value(actual), {came}
        from orders group by customer_id, as_of_date
        having any_value(actual) <> {came}
    """)
    assert wrong == []
    came_at_all = f"select count(distinct actual) from fits.evaluation_holdout where score = '{score}'"
    assert demo.rows(came_at_all)[0][0] > 1


def test_the_mart_has_the_metrics_of_the_holdout(demo):
    holdout = demo.frame("select * from fits.evaluation_holdout where score = 'churn_probability'")
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
            from marts.calibration group by all
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
            from fits.evaluation_holdout
            where kind <> 'group'
            group by all
        ) as holdout using (score, as_of_date)
        where (bins.customers = holdout.customers and abs(bins.predicted / holdout.predicted - 1) < 1e-6
            and abs(bins.actual - holdout.actual) < 0.01) is not true
    """)
    assert differing == []


@pytest.fixture(scope="module")
def upside_down(demo, tmp_path_factory) -> Outcome:
    """The demo with a score for the next order that is the wrong way round."""
    project = Project(tmp_path_factory.mktemp("upside_down") / "copy")
    path = next(project.root.glob("models/**/score_next_order.sql"))
    turned = "select * replace (1 - learned_order_probability as learned_order_probability)"
    path.write_text(f"{turned} from (\n{path.read_text(encoding='utf-8')}\n) as learned", encoding="utf-8")
    folder = tmp_path_factory.mktemp("upside_down_build")
    copy_of(demo, folder / "shop")
    return project.run(folder / "shop", "--select", *JUDGED)


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


def test_a_score_that_lost_is_not_offered_from_the_next_fit_on(upside_down, demo):
    bases = dict(
        upside_down.rows("""
            select fitted_on::text, string_agg(distinct next_order_basis, ', ') from scores.score_expectations
            where next_order_basis <> 'not fitted'
            group by fitted_on
        """)
    )
    # nothing was over yet when the first model was fitted
    first, *later = sorted(bases)
    assert bases[first] == "learned"
    assert {bases[day] for day in later} == {"segment mean"}
    differing = upside_down.rows("""
        select expectations.next_order_probability, heuristics.segment_mean_next_order
        from scores.score_expectations as expectations
        inner join scores.score_heuristics as heuristics using (customer_id, as_of_date, fitted_on)
        where next_order_basis = 'segment mean'
        and next_order_probability is distinct from segment_mean_next_order
    """)
    assert differing == []
    same = "select * from fits.score_choices where offer <> 'next_order' order by all"
    assert upside_down.rows(same) == demo.rows(same)


def history(outcome: Outcome) -> pd.DataFrame:
    """Return what is on record, without when it was built."""
    return outcome.frame("select * exclude (first_built_at) from fits.fit_history order by all")


@pytest.fixture(scope="module")
def refitted(project, demo, tmp_path_factory) -> list[pd.DataFrame]:
    """The history of the demo: as built; after the same again; with cut-offs by hand; restated."""
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


def test_a_fit_that_comes_out_as_before_adds_nothing_to_the_history(refitted):
    built, again, by_hand, restated = refitted
    pd.testing.assert_frame_equal(built, again)
    pd.testing.assert_frame_equal(by_hand, restated)


def test_a_new_version_is_added_beside_the_old_one(refitted):
    built, _, by_hand, _ = refitted
    added = by_hand.merge(built, how="outer", indicator=True)
    assert (added["_merge"] == "right_only").sum() == 0
    new = added[added["_merge"] == "left_only"]
    assert set(new["fit"]) == {"rfm_cutoffs"}
    assert set(new["fitted_on"]) == set(built[built["fit"] == "rfm_cutoffs"]["fitted_on"])
    assert not set(new["fit_version"]) & set(built["fit_version"])


def test_nothing_has_drifted_on_the_day_of_the_fit(demo):
    on_the_day = demo.rows(
        "select distinct population_stability_index, is_stale from marts.drift where as_of_date = fitted_on"
    )
    assert on_the_day == [(0.0, False)]
    later = demo.rows("select count(*) from marts.drift where population_stability_index > 0")
    assert later[0][0] > 0
