"""The next order's model: it finds what is there, says so in parameters, and takes anything."""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from customer_segmentation.next_order import Feature, fit_table, predict
from customer_segmentation.next_order.curves import design_matrix, fit_curve

DATES = [pd.Timestamp(f"2025-{month:02}-28") for month in range(1, 7)]
FITTED_ON = pd.Timestamp("2025-08-31")
DAYS = 28

few = settings(deadline=None, derandomize=True, database=None, max_examples=40)


def training(columns: dict[str, np.ndarray], outcome: np.ndarray, dates=DATES) -> pd.DataFrame:
    """Return training rows of customers who come again on every date."""
    rows = len(outcome)
    return pd.DataFrame(columns).assign(
        fitted_on=FITTED_ON,
        as_of_date=[dates[row % len(dates)] for row in range(rows)],
        customer_id=[f"c{row // len(dates):06}" for row in range(rows)],
        has_order=outcome,
    )


def fit(frame: pd.DataFrame, features: list[Feature], days: int = DAYS) -> pd.DataFrame:
    return fit_table(frame, features, [FITTED_ON], days)


def facts(table: pd.DataFrame) -> dict[str, float]:
    of_fit = table[table["feature"] == "(fit)"]
    return dict(zip(of_fit["metric"], of_fit["value"], strict=True))


def problem(table: pd.DataFrame) -> str | None:
    notes = table[table["metric"] == "problem"]["note"]
    return None if notes.empty else notes.iloc[0]


def simulate(
    seed: int, rows: int, log_odds: Callable
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Return features (days, spend, an unknown third of visits), the true probability and outcomes."""
    rng = np.random.default_rng(seed)
    columns = {
        "days": np.floor(rng.exponential(60, rows)),
        "spend": np.round(rng.lognormal(4, 1, rows), 2),
        "visits": np.where(rng.random(rows) < 1 / 3, np.nan, rng.poisson(3, rows)),
    }
    probability = expit(log_odds(**columns))
    return columns, probability, rng.random(rows) < probability


FEATURES = [Feature("days", "log"), Feature("spend", "log_of_typical"), Feature("visits", "plain")]


def bent(days: np.ndarray, spend: np.ndarray, visits: np.ndarray) -> np.ndarray:
    """A truth that bends in days, is straight in the logarithm of spend and has a level for the unknown."""
    return (
        1.0
        - 1.2 * np.maximum(np.log1p(days) - 3.0, 0)
        + 0.6 * np.log1p(spend / 55)
        + np.where(np.isnan(visits), -0.7, 0.1 * visits)
    )


def test_a_bent_truth_is_recovered_with_its_unknowns():
    columns, probability, outcome = simulate(1, 48_000, bent)
    frame = training(columns, outcome)
    predicted = predict(fit(frame, FEATURES), frame)
    error = predicted["probability"] - probability
    assert np.sqrt(np.mean(error**2)) < 0.015
    assert abs(error.mean()) < 0.005
    known = predicted["visits"][frame["visits"] == 3].iloc[0]
    unknown = predicted["visits"][frame["visits"].isna()].iloc[0]
    assert unknown - known == pytest.approx(-0.7 - 0.3, abs=0.1)


def test_predictions_are_those_of_the_same_regression_by_another_solver():
    columns, _, outcome = simulate(2, 5_000, bent)
    frame, values = training(columns, outcome), np.column_stack(list(columns.values()))
    table = fit(frame, FEATURES)
    design = design_matrix(values, [fit_curve(*pair) for pair in zip(FEATURES, values.T, strict=True)])
    reference = LogisticRegression(C=1 / facts(table)["penalty"], tol=1e-10, max_iter=1000)
    probability = reference.fit(design, outcome).predict_proba(design)[:, 1]
    np.testing.assert_allclose(predict(table, frame)["probability"], probability, atol=1e-5)


def test_what_the_table_says_is_what_was_fitted():
    """Parameters are in other units than the fit's own: the mean probability and the means stay."""
    columns, _, outcome = simulate(3, 6_000, bent)
    frame = training(columns, outcome)
    table = fit(frame, FEATURES)
    predicted = predict(table, frame)
    assert predicted["probability"].mean() == pytest.approx(outcome.mean(), abs=1e-8)
    means = table[table["metric"] == "mean_contribution"].set_index("feature")["value"]
    for feature in FEATURES:
        assert predicted[feature.name].mean() == pytest.approx(means[feature.name], abs=1e-8)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_changes_no_digit(seed: int):
    columns, _, outcome = simulate(seed, 3_000, bent)
    frame = training(columns, outcome)
    shuffled = frame.sample(frac=1, random_state=seed).reset_index(drop=True)
    pd.testing.assert_frame_equal(fit(frame, FEATURES), fit(shuffled, FEATURES), check_exact=True)


@pytest.mark.parametrize("rate", [1350.0, 0.001])
def test_another_currency_changes_no_prediction(rate: float):
    columns, _, outcome = simulate(4, 6_000, bent)
    frame = training(columns, outcome)
    converted = frame.assign(spend=frame["spend"] * rate)
    before = predict(fit(frame, FEATURES), frame)["probability"]
    after = predict(fit(converted, FEATURES), converted)["probability"]
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-9)


def test_the_trial_in_time_learns_only_from_outcomes_that_were_over():
    columns, _, outcome = simulate(5, 12_000, bent)
    frame = training(columns, outcome)
    days = (DATES[-1] - DATES[2]).days  # so the windows of the fourth and fifth date reach into the last
    overlapping = frame["as_of_date"].isin(DATES[3:5])
    turned = frame.assign(has_order=frame["has_order"] ^ overlapping)
    trials = [facts(fit(rows, FEATURES, days)) for rows in (frame, turned)]
    names = [name for name in trials[0] if name.startswith("validation_")]
    assert len(names) == 4
    assert all(trials[0][name] == trials[1][name] for name in [*names, "penalty"])
    assert trials[0]["validation_rows"] == (frame["as_of_date"] == DATES[-1]).sum()


def test_chance_gets_the_strongest_penalty_and_a_pattern_a_weaker_one():
    columns, _, pattern = simulate(6, 12_000, bent)
    chance = np.random.default_rng(6).random(12_000) < 0.3
    by_chance, by_pattern = (facts(fit(training(columns, has), FEATURES)) for has in (chance, pattern))
    assert by_chance["penalty"] == 30.0 > by_pattern["penalty"]
    assert by_chance["validation_auc"] == pytest.approx(0.5, abs=0.05)
    assert by_pattern["validation_auc"] > 0.65


RNG = np.random.default_rng(7)
ENOUGH = 600
ORDERS = np.arange(ENOUGH) % 3 == 0
TOO_LITTLE = {
    "no rows at all": (0, ORDERS, DATES, "0 as-of dates"),
    "a single date": (ENOUGH, ORDERS, DATES[:1], "1 as-of dates"),
    "few rows": (499, ORDERS, DATES, "499 training rows"),
    "nobody orders": (ENOUGH, np.zeros(ENOUGH, bool), DATES, "0 training rows with an order"),
    "everybody orders": (ENOUGH, np.ones(ENOUGH, bool), DATES, "0 without"),
    "hardly anybody orders": (ENOUGH, np.arange(ENOUGH) < 49, DATES, "49 training rows with an order"),
}


@pytest.mark.parametrize("case", TOO_LITTLE)
def test_too_little_to_learn_from_is_said_and_leaves_no_parameters(case: str):
    rows, outcome, dates, note = TOO_LITTLE[case]
    table = fit(
        training({"days": RNG.exponential(60, rows)}, outcome[:rows], dates), [Feature("days", "log")]
    )
    assert note in problem(table)
    assert set(table["feature"]) == {"(fit)"}


def test_every_fit_date_has_rows_of_its_own():
    columns, _, outcome = simulate(8, 3_000, bent)
    earlier = pd.Timestamp("2025-02-28")
    both = fit_table(training(columns, outcome), FEATURES, [FITTED_ON, earlier], DAYS)
    assert "0 as-of dates" in problem(both[both["fitted_on"] == earlier.date()])
    alone = fit(training(columns, outcome), FEATURES)
    later = both[both["fitted_on"] == FITTED_ON.date()].reset_index(drop=True)
    pd.testing.assert_frame_equal(later, alone, check_exact=True)


NUMBERS = st.one_of(
    st.sampled_from([np.nan, 0.0, 1.0, -1.0, 1e-300, 1.7e308, -1.7e308, np.inf]),
    st.floats(allow_nan=True, allow_infinity=True, width=64),
    st.integers(0, 40).map(float),
)


@few
@given(
    values=hnp.arrays(float, (3, 30), elements=NUMBERS),
    share=st.sampled_from([0.1, 0.5, 0.9]),
    follows=st.booleans(),
)
def test_whatever_the_values_nothing_is_warned_of_and_every_number_is_one(values, share, follows):
    """Constant, unknown, huge and separating columns; 600 rows of 30 different ones."""
    columns = dict(zip(["days", "spend", "visits"], np.tile(values, 20), strict=True))
    first = columns["days"]
    outcome = first > np.nanmedian(first) if follows and np.isfinite(first).any() else RNG.random(600) < share
    frame = training(columns, outcome)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = fit(frame, FEATURES)
        if problem(table):
            return
        predicted = predict(table, frame)
    numbers = table[~table["metric"].isin(["transform", "first_training_date", "last_training_date"])]
    assert np.isfinite(numbers["value"]).all()
    assert np.isfinite(predicted).all(axis=None)
    assert predicted["probability"].between(0, 1).all()


@pytest.mark.parametrize("transform", ["log10", "", None])
def test_a_transform_that_is_none_is_named_with_its_feature(transform):
    with pytest.raises(ValueError, match=r"days: transform is .* none of"):
        Feature("days", transform)
