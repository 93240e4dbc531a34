"""The published numbers of the CDNOW sample come out of the raw log."""

from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import lifetime_formulas as formulas
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from customer_segmentation.lifetime import bg_nbd, gamma_gamma, pareto_nbd
from customer_segmentation.lifetime.optimise import Fit
from customer_segmentation.lifetime.states import PurchaseStates

CALIBRATED_ON, HELD_OUT_UNTIL = pd.Timestamp("1997-09-30"), pd.Timestamp("1998-06-30")
HOLDOUT_WEEKS = 39
MODELS = {"bg_nbd": bg_nbd, "pareto_nbd": pareto_nbd}

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("default::ResourceWarning"),  # of what other tests left to the collector
]


class Cdnow(NamedTuple):
    """The sample, and the models fitted to its first 39 weeks."""

    lines: int
    customer_days: int
    customers: pd.DataFrame
    states: PurchaseStates
    fits: dict[str, Fit]
    spend: Fit


@pytest.fixture(scope="module")
def cdnow() -> Cdnow:
    path = next(
        Path(file.locate()) for file in metadata.files("lifetimes") if file.name == "CDNOW_sample.txt"
    )
    columns = ["master_id", "customer_id", "day", "quantity", "amount"]
    lines = pd.read_csv(path, sep=r"\s+", header=None, names=columns)
    lines["day"] = pd.to_datetime(lines["day"].astype(str), format="%Y%m%d")
    days = lines.groupby(["customer_id", "day"], as_index=False)["amount"].sum()  # sorted by both

    by_customer = days[days["day"] <= CALIBRATED_ON].groupby("customer_id")
    first, last = by_customer["day"].min(), by_customer["day"].max()
    customers = pd.DataFrame(
        {
            "repeats": by_customer.size() - 1,
            "last_days": (last - first).dt.days,
            "tenure_days": (CALIBRATED_ON - first).dt.days,
            "repeat_spend": by_customer["amount"].sum() - by_customer["amount"].first(),
            "held_out": days[days["day"] > CALIBRATED_ON].groupby("customer_id").size(),
        }
    ).fillna({"held_out": 0})
    states = formulas.purchase_states(
        customers["repeats"], customers["last_days"] / 7, customers["tenure_days"] / 7
    )
    back = customers[customers["repeats"] > 0]
    return Cdnow(
        lines=len(lines),
        customer_days=len(days),
        customers=customers,
        states=states,
        fits={name: model.fit(states) for name, model in MODELS.items()},
        spend=gamma_gamma.fit(formulas.spend_states(back["repeats"], back["repeat_spend"] / back["repeats"])),
    )


def test_the_log_has_the_published_counts(cdnow):
    assert (cdnow.lines, cdnow.customer_days, len(cdnow.customers)) == (6919, 6696, 2357)
    assert cdnow.customers["repeats"].sum() == 2457
    assert cdnow.customers["held_out"].sum() == 1882
    assert (cdnow.customers["repeats"] > 0).sum() == 946


@pytest.mark.parametrize(
    ("name", "parameters", "log_likelihood"),
    [
        ("bg_nbd", (0.243, 4.414, 0.793, 2.426), -9582.4),
        ("pareto_nbd", (0.553, 10.578, 0.606, 11.669), -9595.0),
        ("gamma_gamma", (6.25, 3.74, 15.44), -4055.9),
    ],
)
def test_parameters_and_log_likelihoods_are_the_published_ones(cdnow, name, parameters, log_likelihood):
    fit = cdnow.spend if name == "gamma_gamma" else cdnow.fits[name]
    assert fit.converged
    assert fit.limits == ()
    assert fit.parameters == pytest.approx(parameters, rel=0.01)
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=0.1)


def test_counts_of_distinct_histories_give_the_same_fit(cdnow):
    states = pd.DataFrame(cdnow.states._asdict()).groupby(["repeats", "last", "tenure"], as_index=False).sum()
    assert len(states) < len(cdnow.customers) / 2
    for name, model in MODELS.items():
        fit = model.fit(PurchaseStates(*states.to_numpy().T))
        assert fit.parameters == pytest.approx(cdnow.fits[name].parameters, rel=1e-5)


@pytest.mark.parametrize(
    ("customer_id", "purchases", "spend"), [(1, 2, 24.66), (2, 1, 18.91), (None, 0, 35.17)]
)
def test_customers_are_expected_to_spend_what_is_published(cdnow, customer_id, purchases, spend):
    mean = 0.0
    if customer_id:
        customer = cdnow.customers.loc[customer_id]
        assert customer["repeats"] == purchases
        mean = customer["repeat_spend"] / purchases
    assert gamma_gamma.expected_spend(cdnow.spend.parameters, purchases, mean) == pytest.approx(
        spend, abs=0.01
    )


def rate_carried_on(cdnow: Cdnow) -> np.ndarray:
    return (cdnow.states.repeats / cdnow.states.tenure * HOLDOUT_WEEKS).astype(float)


def forecast(cdnow: Cdnow, name: str) -> np.ndarray:
    """Return each customer's purchases of the holdout as a model or a heuristic foresees them."""
    if name in MODELS:
        return formulas.expected_purchases(
            MODELS[name], cdnow.fits[name].parameters, cdnow.states, HOLDOUT_WEEKS
        )
    return rate_carried_on(cdnow) if name == "rate" else np.zeros(len(cdnow.customers))


@pytest.mark.parametrize(
    ("name", "total", "mae", "rmse", "correlation"),
    [
        ("bg_nbd", 1653, 0.785, 1.608, 0.626),
        ("pareto_nbd", 1666, 0.755, 1.603, 0.630),
        ("rate", 2930, 1.024, 2.212, 0.584),
        ("nothing", 0, 0.798, 2.206, None),
    ],
)
def test_the_holdout_is_foreseen_as_well_as_published(cdnow, name, total, mae, rmse, correlation):
    actual, foreseen = cdnow.customers["held_out"].to_numpy(), forecast(cdnow, name)
    error = foreseen - actual
    assert foreseen.sum() == pytest.approx(total, abs=0.6)
    assert np.abs(error).mean() == pytest.approx(mae, abs=0.0006)
    assert np.sqrt((error**2).mean()) == pytest.approx(rmse, abs=0.0006)
    if correlation:
        assert np.corrcoef(foreseen, actual)[0, 1] == pytest.approx(correlation, abs=0.0006)


def test_who_buys_in_the_holdout_is_told_as_well_as_published_and_not_by_who_is_alive(cdnow):
    bought = cdnow.customers["held_out"] > 0
    alive = bg_nbd.probability_alive(cdnow.fits["bg_nbd"].parameters, cdnow.states)
    ranks = {
        "pareto_nbd": forecast(cdnow, "pareto_nbd"),
        "bg_nbd": forecast(cdnow, "bg_nbd"),
        "recency": cdnow.states.last - cdnow.states.tenure,
        "alive": alive,
    }
    areas = {name: roc_auc_score(bought, values) for name, values in ranks.items()}
    published = {"pareto_nbd": 0.779, "bg_nbd": 0.773, "recency": 0.771, "alive": 0.316}
    assert areas == pytest.approx(published, abs=0.0006)
    # which is why churn is the probability of no purchase
    assert (alive[cdnow.states.repeats == 0] == 1).all()
    silent = formulas.probability_no_purchase(
        bg_nbd, cdnow.fits["bg_nbd"].parameters, cdnow.states, HOLDOUT_WEEKS
    )
    assert roc_auc_score(bought, -silent) > 0.75


def test_the_value_of_twelve_months_is_not_that_of_360_weeks(cdnow):
    parameters, customer = cdnow.fits["bg_nbd"].parameters, PurchaseStates(*(v[:1] for v in cdnow.states))
    spend = gamma_gamma.expected_spend(cdnow.spend.parameters, 2, cdnow.customers["repeat_spend"].iloc[0] / 2)

    def value(weeks: float) -> float:
        months = np.arange(13)
        purchases = [
            formulas.expected_purchases(bg_nbd, parameters, customer, weeks * month)[0] for month in months
        ]
        return spend * (np.diff(purchases) / 1.01 ** months[1:]).sum()

    assert value(365.25 / 12 / 7) == pytest.approx(36.3, abs=0.05)
    assert value(30) == pytest.approx(140.10, abs=0.05)
    # ours discounts each purchase on its day, theirs at the end of its month
    continuous = spend * formulas.discounted_purchases(
        lambda days: formulas.expected_purchases(bg_nbd, parameters, customer, days / 7), 365, 1.01**12 - 1
    )
    assert continuous == pytest.approx(36.3 * 1.01**0.5, abs=0.1)
