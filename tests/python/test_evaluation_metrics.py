"""Metrics against independent implementations, examples by hand, published numbers, and on extreme inputs."""

import warnings
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, mean_absolute_error, roc_auc_score, root_mean_squared_error

from customer_segmentation.evaluation import metrics

AMOUNT = {
    "bias": metrics.bias,
    "mae": metrics.mean_absolute_error,
    "mse": metrics.mean_squared_error,
    "rmse": metrics.root_mean_squared_error,
    "rank_correlation": metrics.rank_correlation,
    "lift": metrics.lift_in_top_tenth,
}
PROBABILITY = AMOUNT | {
    "area_under_curve": metrics.area_under_curve,
    "slope": metrics.calibration_slope,
    "intercept": metrics.calibration_intercept,
}


def amounts(n: int = 800, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Expectations with ties, and orders that come by chance."""
    draw = np.random.default_rng(seed)
    rate = draw.gamma(0.5, 2, n).round(1)
    return rate, draw.poisson(draw.gamma(1, 1, n) * rate).astype(float)


def probabilities(n: int = 800, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities with ties that are too far apart, and who did."""
    draw = np.random.default_rng(seed)
    odds = draw.normal(-0.5, 1, n)
    return special.expit(1.7 * odds).round(2), (draw.random(n) < special.expit(odds)).astype(float)


def test_amounts_are_measured_as_others_measure_them():
    predicted, actual = amounts()
    assert metrics.mean_absolute_error(predicted, actual).value == pytest.approx(
        mean_absolute_error(actual, predicted)
    )
    assert metrics.root_mean_squared_error(predicted, actual).value == pytest.approx(
        root_mean_squared_error(actual, predicted)
    )
    untied = predicted + np.random.default_rng(2).random(len(predicted)) / 100
    assert metrics.rank_correlation(untied, actual).value == pytest.approx(
        stats.spearmanr(untied, actual).statistic, abs=1e-12
    )
    assert metrics.bias(predicted, actual).value == pytest.approx(predicted.sum() / actual.sum() - 1)


def test_probabilities_are_measured_as_others_measure_them():
    predicted, actual = probabilities()
    assert metrics.area_under_curve(predicted, actual).value == pytest.approx(
        roc_auc_score(actual, predicted)
    )
    assert metrics.mean_squared_error(predicted, actual).value == pytest.approx(
        brier_score_loss(actual, predicted)
    )
    odds = metrics.log_odds(predicted)[:, None]
    regression = LogisticRegression(C=np.inf, tol=1e-10).fit(odds, actual)
    assert metrics.calibration_slope(predicted, actual).value == pytest.approx(
        regression.coef_[0, 0], abs=1e-5
    )


def test_the_intercept_makes_the_mean_right():
    predicted, actual = probabilities()
    intercept = metrics.calibration_intercept(predicted, actual).value
    shifted = special.expit(special.logit(np.clip(predicted, 1e-6, 1 - 1e-6)) + intercept)
    assert shifted.mean() == pytest.approx(actual.mean())
    assert metrics.calibration_intercept(np.full(4, 0.5), np.array([1.0, 0, 0, 0])).value == pytest.approx(
        np.log(1 / 3)
    )


def test_the_variance_of_the_area_is_that_of_delong():
    predicted, actual = probabilities(120)
    did, did_not = predicted[actual == 1], predicted[actual == 0]
    wins = (did[:, None] > did_not) + 0.5 * (did[:, None] == did_not)  # every pair, by hand
    variance = wins.mean(axis=1).var() / len(did) + wins.mean(axis=0).var() / len(did_not)
    influence = metrics.area_under_curve(predicted, actual).influence
    assert metrics.standard_error(influence) == pytest.approx(np.sqrt(variance))


@pytest.mark.parametrize("name", PROBABILITY)
def test_standard_errors_are_those_of_the_bootstrap(name: str):
    predicted, actual = (
        probabilities(1500) if name in ("area_under_curve", "slope", "intercept") else amounts(1500)
    )
    draw = np.random.default_rng(2)
    drawn = []
    for _ in range(300):
        rows = draw.integers(0, len(actual), len(actual))
        drawn.append(PROBABILITY[name](predicted[rows], actual[rows]).value)
    found = metrics.standard_error(PROBABILITY[name](predicted, actual).influence)
    assert found == pytest.approx(np.std(drawn), rel=0.15)


# without lift, whose tenth ends at one customer or the next: for it there is the bootstrap
@pytest.mark.parametrize("name", sorted(PROBABILITY.keys() - {"lift"}))
def test_an_influence_is_what_leaving_the_customer_out_changes(name: str):
    predicted, actual = (
        probabilities(400) if name in ("area_under_curve", "slope", "intercept") else amounts(400)
    )
    estimate = PROBABILITY[name](predicted, actual)
    without = [
        PROBABILITY[name](np.delete(predicted, row), np.delete(actual, row)).value for row in range(40)
    ]
    left_out = (len(actual) - 1) * (estimate.value - np.array(without))
    spread = estimate.influence.std()
    assert estimate.influence[:40] == pytest.approx(left_out, abs=0.05 * spread, rel=0.05)


def test_ties_at_the_edge_of_the_top_tenth_share_its_places():
    actual = np.array([4.0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    predicted = np.array([9.0, 5, 5, 5, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    # two places: one for the first, the other for four customers with 2 between them, against 0.4 in the mean
    assert metrics.lift_in_top_tenth(predicted, actual).value == pytest.approx((4 + 2 / 4) / 2 / 0.4)
    # three quarters of a place
    assert metrics.lift_in_top_tenth(np.arange(8.0), np.array([0, 0, 0, 0, 0, 0, 1.0, 1])).value == (
        pytest.approx(1 / 0.25)
    )


def test_the_rank_correlation_of_a_hand_of_customers():
    # ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4: as many as 1, 2, 3, 4 could have explained is 5
    value = metrics.rank_correlation(np.array([1.0, 2, 2, 3]), np.array([0.0, 5, 1, 9])).value
    assert value == pytest.approx(4.5 / 5)


def test_a_rule_that_says_the_same_of_many_is_not_rewarded_for_it():
    actual = np.repeat([0.0, 1, 2], [80, 10, 10])
    in_order = np.arange(100.0)
    coarse = np.where(in_order < 80, 0.0, in_order)  # the same of all who do nothing
    assert stats.spearmanr(coarse, actual).statistic > stats.spearmanr(in_order, actual).statistic + 0.1
    assert metrics.rank_correlation(coarse, actual).value == pytest.approx(
        metrics.rank_correlation(in_order, actual).value
    )


def test_a_prediction_without_information_is_worth_nothing():
    constant, actual = np.full(40, 0.2), np.r_[np.ones(8), np.zeros(32)]
    assert metrics.rank_correlation(constant, actual).value == pytest.approx(0, abs=1e-12)
    assert metrics.area_under_curve(constant, actual).value == 0.5
    assert metrics.lift_in_top_tenth(constant, actual).value == pytest.approx(1)
    assert metrics.calibration_slope(constant, actual) is None
    assert metrics.bias(constant, actual).value == pytest.approx(0)


def test_a_perfect_prediction_is_perfect_and_an_inverted_one_is_the_worst():
    actual = np.r_[np.ones(10), np.zeros(30)]
    perfect, inverted = actual, 1 - actual
    assert metrics.area_under_curve(perfect, actual).value == 1
    assert metrics.area_under_curve(inverted, actual).value == 0
    in_order = np.arange(40.0)
    assert metrics.rank_correlation(-in_order, in_order).value == pytest.approx(-1)
    assert metrics.rank_correlation(in_order, in_order).value == pytest.approx(1)
    assert metrics.root_mean_squared_error(perfect, actual).value == 0
    assert metrics.standard_error(metrics.root_mean_squared_error(perfect, actual).influence) == 0
    assert metrics.mean_squared_error(inverted, actual).value == 1
    assert metrics.calibration_slope(perfect, actual) is None  # infinite
    assert metrics.calibration_slope(inverted, actual) is None


def test_an_inverted_probability_has_a_negative_slope():
    predicted, actual = probabilities()
    straight = metrics.calibration_slope(predicted, actual).value
    assert metrics.calibration_slope(1 - predicted, actual).value == pytest.approx(-straight)


def finite(smallest: float, largest: float) -> st.SearchStrategy[float]:
    return st.floats(smallest, largest, allow_nan=False, allow_subnormal=False)


pairs_of_amounts = st.lists(
    st.tuples(finite(0, 1e9), st.one_of(st.just(0.0), finite(1e-3, 1e9))), min_size=1, max_size=30
)
pairs_of_probabilities = st.lists(
    st.tuples(st.one_of(st.sampled_from([0.0, 1.0, 0.5]), finite(0, 1)), st.sampled_from([0.0, 1.0])),
    min_size=1,
    max_size=30,
)


def measured(functions: dict, rows: list[tuple[float, float]]) -> dict:
    """Measure, with every warning an error."""
    predicted, actual = (np.array(column) for column in zip(*rows, strict=True))
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        return {name: function(predicted, actual) for name, function in functions.items()}


def check(functions: dict, rows: list[tuple[float, float]], again: list[tuple[float, float]]) -> None:
    found, turned = measured(functions, rows), measured(functions, again)
    for name, estimate in found.items():
        if estimate is None:
            assert turned[name] is None
            continue
        assert np.isfinite(estimate.value), name
        assert np.isfinite(estimate.influence).all(), name
        assert estimate.influence.shape == (len(rows),)
        assert turned[name].value == pytest.approx(estimate.value, rel=1e-6, abs=1e-9), name


@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(st.data())
def test_no_amounts_lead_to_a_warning_or_a_nan_and_their_order_means_nothing(data):
    rows = data.draw(pairs_of_amounts)
    check(AMOUNT, rows, data.draw(st.permutations(rows)))


@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(st.data())
def test_no_probabilities_lead_to_a_warning_or_a_nan_and_their_order_means_nothing(data):
    rows = data.draw(pairs_of_probabilities)
    check(PROBABILITY, rows, data.draw(st.permutations(rows)))


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    """The 1/10 sample of CDNOW as known on 1997-09-30, and the purchase days of the 39 weeks after."""
    path = next(
        Path(file.locate()) for file in metadata.files("lifetimes") if file.name == "CDNOW_sample.txt"
    )
    rows = pd.read_csv(path, sep=r"\s+", header=None, usecols=[0, 2], names=["customer", "day"], dtype=str)
    days = rows.assign(day=pd.to_datetime(rows["day"], format="%Y%m%d")).drop_duplicates()
    known = days[days["day"] <= "1997-09-30"].groupby("customer")["day"]
    first, last = known.min(), known.max()
    came = days[(days["day"] > "1997-09-30") & (days["day"] <= "1998-06-30")].groupby("customer").size()
    return pd.DataFrame(
        {
            "repeats": known.size() - 1,
            "days_since_last": (pd.Timestamp("1997-09-30") - last).dt.days,
            "weeks": (pd.Timestamp("1997-09-30") - first).dt.days / 7,
            "came": came.reindex(first.index, fill_value=0),
        }
    )


def test_heuristics_on_cdnow_have_the_published_errors(cdnow):
    carried_on = (cdnow["repeats"] / cdnow["weeks"] * 39).to_numpy()
    came, nothing = cdnow["came"].to_numpy(dtype=float), np.zeros(len(cdnow))
    assert len(cdnow) == 2_357
    assert came.sum() == 1_882
    assert carried_on.sum() == pytest.approx(2_930, abs=1)
    assert metrics.mean_absolute_error(carried_on, came).value == pytest.approx(1.024, abs=0.001)
    assert metrics.root_mean_squared_error(carried_on, came).value == pytest.approx(2.212, abs=0.001)
    assert metrics.mean_absolute_error(nothing, came).value == pytest.approx(0.798, abs=0.001)
    assert metrics.root_mean_squared_error(nothing, came).value == pytest.approx(2.206, abs=0.001)
    recency = metrics.area_under_curve(-cdnow["days_since_last"].to_numpy(float), np.minimum(came, 1))
    assert recency.value == pytest.approx(0.771, abs=0.001)
