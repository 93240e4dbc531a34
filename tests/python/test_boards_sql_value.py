"""What Overview, Segments, and Value and risk say of small made-up marts: as test_boards_sql.py."""

import pytest
from test_boards_sql import answer

DAY = "2026-06-30"
DASH = "\N{EN DASH}"


def judged(score: str, heuristic: str, metric: str = "overall", **more: object) -> dict:
    """Return a row of the mart `model_evaluation`, of the last date on which the score was judged."""
    keys = {"score": score, "heuristic": heuristic, "metric": metric, "as_of_date": DAY, "fit": "a fit"}
    return {**keys, "is_latest": True, **more}


def everybody(**more: object) -> dict:
    """Return the row of all customers of the mart `segment_profiles`."""
    return {"segmentation": "(all)", "segment": "(all)", "customers": 10, **more}


# the error of a score beside its rivals


def test_less_error_is_shown_against_the_strongest_rival_even_if_that_is_a_model():
    found = answer(
        "value_and_risk",
        "error_gain",
        {
            "model_evaluation": [
                judged(
                    "learned_order_probability", "segment mean", "brier_score", heuristic_value=0.1, gain=0.02
                ),
                judged(
                    "learned_order_probability",
                    "lifetime model",
                    "brier_score",
                    heuristic_value=0.1,
                    gain=0.001,
                ),
                judged("learned_order_probability", "recency alone", "brier_score"),
            ]
        },
    )
    assert [(row["name"], row["gain"]) for row in found] == [("Next order", pytest.approx(0.01))]


def test_the_verdict_against_the_lifetime_model_has_a_column_and_is_a_dash_where_there_is_none():
    found = answer(
        "value_and_risk",
        "verdicts",
        {
            "model_evaluation": [
                judged("churn_probability", "segment mean", verdict="better", overall_verdict="better"),
                judged(
                    "learned_order_probability", "lifetime model", verdict="equal", overall_verdict="better"
                ),
            ]
        },
    )
    assert {row["name"]: row["lifetime_model"] for row in found} == {"Churn": DASH, "Next order": "= equal"}


# what is expected, or not yet


def percents(**shares: float | None) -> dict[str, list[dict]]:
    return {
        "value_concentration": [
            {"as_of_date": DAY, "percent_of_customers": percent, **shares} for percent in (20, 100)
        ]
    }


def test_without_expectations_no_line_is_drawn_of_them():
    marts = percents(share_of_revenue_12m=0.5, share_of_expected_revenue_365d=None)
    found = answer("overview", "concentration", marts)
    assert {row["kind"] for row in found} == {"Last 12 months"}
    assert [row["share"] for row in found] == [0, 0.5, 0.5]


def test_without_expectations_the_best_fifth_is_that_of_the_revenue():
    fifth = percents(share_of_revenue_12m=0.5, share_of_expected_revenue_365d=None)
    known = percents(share_of_revenue_12m=0.5, share_of_expected_revenue_365d=0.4)
    neither = percents()
    said = [answer("overview", "best_fifth", marts)[0]["said"] for marts in (fifth, known, neither)]
    assert said == [
        "The best 20 % of the buyers brought 50 % of the revenue of 12 months",
        "The best 20 % of the buyers bring 40 % of the expected revenue",
        "",
    ]


@pytest.mark.parametrize(("expected", "is_valued"), [(100, True), (None, False)])
def test_overview_says_whether_anything_is_expected(expected, is_valued):
    marts = {"segment_profiles": [everybody(expected_revenue_365d=expected)]}
    assert [row["has_expected"] for row in answer("overview", "history", marts)] == [is_valued]


def test_overview_says_what_it_has_no_months_for():
    marts = {"segment_profiles": [everybody()], "segment_kpis": [], "cohort_retention": []}
    (history,) = answer("overview", "history", marts)
    assert history == {"has_expected": False, "has_months": False, "has_returns": False}


def test_what_a_rule_of_thumb_expects_has_no_band_and_is_drawn_all_the_same():
    """A bar without a start would stop the whole site."""
    row = {"segmentation": "rfm", "segment": "best", "label": "Best", "expected_revenue_365d": 120}
    marts = {
        "segment_profiles": [
            everybody(expected_revenue_365d=120),
            row,
            {**row, "expected_revenue_365d": None},
        ]
    }
    months = answer("overview", "revenue_expected", marts)
    assert {(month["low"], month["high"]) for month in months} == {(10, 10)}
    assert answer("segments", "expected", marts) == [
        {"segment": "Best", "expected": 120, "low": 120, "high": 120, "band": DASH}
    ]


@pytest.mark.parametrize(
    ("low", "high", "band"),
    [
        (1200, 9400, "90 % band: 1.2K - 9.4K"),
        (12_000, 45_600, "90 % band: 12K - 45.6K"),
        (300_000, 1_300_000, "90 % band: 300K - 1.3M"),
        (289_300_000, 698_600_000, "90 % band: 289M - 699M"),
        (0.8e12, 1.2e12, "90 % band: 800B - 1.2T"),
        (None, None, "no 90 % band"),
    ],
)
def test_each_end_of_the_band_has_its_unit(low, high, band):
    ends = {"expected_revenue_365d_low": low, "expected_revenue_365d_high": high}
    marts = {"segment_profiles": [everybody(expected_revenue_365d=high, **ends)]}
    assert answer("overview", "expectation", marts)[0]["band"] == band.replace("-", DASH)


@pytest.mark.parametrize(("margin", "shown"), [(0.5, True), (0.68, False)])
def test_a_band_that_is_too_wide_to_decide_by_is_not_drawn_but_said(margin, shown):
    ends = {"expected_revenue_365d_low": 40, "expected_revenue_365d_high": 160}
    of_all = everybody(expected_revenue_365d=100, expected_revenue_365d_margin=margin, **ends)
    marts = {"segment_profiles": [of_all, of_all | {"segmentation": "rfm", "segment": "new", "label": "New"}]}
    for board, query in (("overview", "expectation"), ("value_and_risk", "headline")):
        said = answer(board, query, marts)[0]["band"]
        assert said.startswith("90 % band") if shown else said == "± 68 % is too wide to decide by"
    drawn = answer("segments", "expected", marts)[0]
    assert (drawn["low"], drawn["high"]) == ((40, 160) if shown else (100, 100))
    assert drawn["band"] == (f"40 {DASH} 160" if shown else DASH)


# where expectations come from

BETTER = "Expectations come from a model that did better than rules of thumb on 365 past days."
RULE = "Expectations come from a rule of thumb, because the model did worse on past days."
LOST = "Expectations come from a model, though a rule of thumb did better on 365 past days."
UNJUDGED = "Expectations come from a model that could not be judged yet."


@pytest.mark.parametrize(
    ("basis", "of_90", "of_365", "said"),
    [
        ("bg_nbd", "equal", "better", BETTER),
        # the score of 90 days lost and took that of 365 with it
        ("segment mean", "worse", "better", RULE),
        ("segment mean (365 days: bg_nbd)", "worse", "better", BETTER),
        ("bg_nbd, though it lost", "better", "worse", LOST),
        ("pareto_nbd", None, None, UNJUDGED),
        (None, None, None, ""),
    ],
)
def test_where_expectations_come_from_is_what_is_offered_and_not_what_would_have_won(
    basis, of_90, of_365, said
):
    customers = [
        {"customer_id": name, "expected_revenue_365d": basis and 1, "expected_revenue_basis": basis}
        for name in "abc"
    ]
    few = {"customer_id": "d", "expected_revenue_365d": 1, "expected_revenue_basis": "repeat rate"}
    evaluation = [
        judged("expected_revenue_90d", "(none)", horizon_days=90, overall_verdict=of_90),
        judged("expected_revenue_365d", "(none)", horizon_days=365, overall_verdict=of_365),
    ]
    marts = {"customers": [*customers, *([few] if basis else [])], "model_evaluation": evaluation}
    assert answer("overview", "model", marts) == [{"said": said}]


# drift


def drifted(feature: str, verdict: str, index: float = 0.3, day: str = DAY, **more: object) -> dict:
    keys = {"fit": "lifetime", "feature": feature, "as_of_date": day, "fitted_on": "2026-03-31"}
    return {**keys, "verdict": verdict, "population_stability_index": index, "is_stale": False, **more}


def test_the_map_of_drift_says_the_verdict_of_the_mart_and_not_one_of_its_own():
    rows = [
        drifted("a", "too few customers"),
        drifted("a", "too few customers", fit="clusters"),
        drifted("b", "shifted", 0.05),
    ]
    found = answer("value_and_risk", "drift_map", {"drift": rows})
    assert [(row["name"], row["said"]) for row in found] == [("A", "Too few customers"), ("B", "Shifted")]


def test_a_fit_is_stale_on_its_dates_and_not_ever_after():
    rows = [
        drifted("a", "shifted", day="2026-05-31", is_stale=True, stale_since="2026-05-31"),
        drifted("a", "stable", 0.05, stale_since="2026-05-31"),
    ]
    (fit,) = answer("value_and_risk", "fits", {"drift": rows})
    assert (fit["verdict"], fit["stale_dates"]) == ("✓ fits", "1 of 2")


def test_a_fit_of_too_few_customers_is_not_said_to_fit():
    (fit,) = answer("value_and_risk", "fits", {"drift": [drifted("a", "too few customers")]})
    assert fit["verdict"] == "Too few customers"


# segments


def test_the_order_value_that_sets_a_segment_apart_is_of_the_12_months_of_its_neighbours():
    rows = [
        everybody(revenue_12m_mean=100, orders_12m_mean=2, index_average_order_value=100),
        {
            **{"segmentation": "rfm", "segment": "best", "label": "Best", "position": 1, "customers": 5},
            **{"revenue_12m_mean": 300, "orders_12m_mean": 3, "index_average_order_value": 700},
        },
        {
            **{"segmentation": "rfm", "segment": "gone", "label": "Gone", "position": 2, "customers": 5},
            **{"revenue_12m_mean": 0, "orders_12m_mean": 0, "index_average_order_value": 90},
        },
    ]
    found = answer("segments", "apart", {"segment_profiles": rows})
    assert [row["order_value"] for row in found] == [200, None]
