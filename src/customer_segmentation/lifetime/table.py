"""The fits of all fit dates as one long table of parameters, with what they rest on."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from types import ModuleType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_segmentation.lifetime import bg_nbd, gamma_gamma, pareto_nbd
from customer_segmentation.lifetime.optimise import Fit
from customer_segmentation.lifetime.states import PurchaseStates, SpendStates

MODELS: Mapping[str, ModuleType] = {"bg_nbd": bg_nbd, "pareto_nbd": pareto_nbd}
COLUMNS = ["fitted_on", "model", "parameter", "value", "note"]

# Measured on real data: docs/decisions/lifetime_value_and_next_order.md. With 50 customers who came back,
# estimating four parameters puts an error of about a fifth on what is expected.
LEAST_REPEATERS = 50
# The share that never comes back is known to 3.5 points.
LEAST_CUSTOMERS = 200
# Over less than twelve weeks hardly anybody is seen to leave, and far too much is expected.
LEAST_DAYS = 84

DAYS_OF_A_WEEK = 7
ERROR_HORIZONS = (90, 365)
# step of the logarithms for the slope of a forecast, which changes little within four weeks of tenure
DIFFERENCE = 1e-4
GROUPED_WEEKS = 4
MANY_WEEKS = 10**6

Array = NDArray[np.float64]
Row = tuple[str, float | None, str | None]  # parameter, value, note


def fit_table(dates: Iterable[date], purchases: pd.DataFrame, spend: pd.DataFrame, name: str) -> pd.DataFrame:
    """Fit purchases and spend for each fit date by itself; one row per fit date, model and parameter.

    dates: the fit dates.
    purchases: fitted_on, repeat_purchases, last_purchase_days, tenure_days, customers; days count from the
        first purchase. Times are turned into weeks.
    spend: fitted_on, purchases, mean_spend, customers.
    name: of the model of purchases, bg_nbd or pareto_nbd.

    Returns fitted_on, model, parameter, value and note, sorted. Parameters and diagnostics have values. A
    fit that was not made, or is not to be trusted, has one row: parameter `problem`, with a note that says
    why. A maximum at a bound of the model has a row `limit`, with a note that says what that means.
    relative_error_90d and _365d are standard errors of the expected purchases of all, relative to them;
    revenue_relative_error_90d and _365d those of the expected revenue.
    """
    rows = []
    for day in dates:
        bought = _purchase_states(purchases[pd.to_datetime(purchases["fitted_on"]) == pd.Timestamp(day)])
        spent = _spend_states(spend[pd.to_datetime(spend["fitted_on"]) == pd.Timestamp(day)])
        of_purchases = list(_purchase_rows(MODELS[name], bought))
        of_spend = list(_spend_rows(spent))
        rows += [(day, name, *row) for row in of_purchases]
        rows += [(day, "gamma_gamma", *row) for row in [*of_spend, *_revenue_errors(of_purchases, of_spend)]]
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"value": float, "note": object})
    return table.sort_values(["fitted_on", "model", "parameter"], ignore_index=True)


def _purchase_states(frame: pd.DataFrame) -> PurchaseStates:
    columns = ["repeat_purchases", "last_purchase_days", "tenure_days", "customers"]
    # in a fixed order, because sums of floating point numbers depend on it
    repeats, last, tenure, customers = frame.sort_values(columns)[columns].to_numpy(float).T
    return PurchaseStates(repeats, last / DAYS_OF_A_WEEK, tenure / DAYS_OF_A_WEEK, customers)


def _spend_states(frame: pd.DataFrame) -> SpendStates:
    columns = ["purchases", "mean_spend", "customers"]
    return SpendStates(*frame.sort_values(columns)[columns].to_numpy(float).T)


def _purchase_rows(model: ModuleType, states: PurchaseStates) -> Iterator[Row]:
    customers = states.customers.sum()
    repeaters = states.customers[states.repeats > 0].sum()
    days = states.tenure.max(initial=0) * DAYS_OF_A_WEEK
    problem = _too_little(customers, repeaters) or (
        None if days >= LEAST_DAYS else f"{days:,.0f} days of history; {LEAST_DAYS} are needed"
    )
    if problem:
        yield "problem", None, problem
        return
    fit = model.fit(states)
    yield from _fit_rows(fit, model.Parameters._fields, customers, len(states.repeats))
    if fit.converged:
        yield "repeaters", repeaters, None
        for horizon in ERROR_HORIZONS:
            error = relative_error(model, fit, states, horizon / DAYS_OF_A_WEEK)
            yield f"relative_error_{horizon}d", error, None


def _spend_rows(states: SpendStates) -> Iterator[Row]:
    customers = states.customers.sum()
    if customers < LEAST_REPEATERS:
        yield "problem", None, f"{customers:,.0f} repeat customers with revenue; {LEAST_REPEATERS} are needed"
        return
    fit = gamma_gamma.fit(states)
    yield from _fit_rows(fit, gamma_gamma.Parameters._fields, customers, len(states.purchases))
    if fit.converged:
        yield "relative_error", spend_relative_error(fit, states), None


def _revenue_errors(of_purchases: Iterable[Row], of_spend: Iterable[Row]) -> Iterator[Row]:
    """Yield the relative errors of revenue: purchases and spend are fitted apart, so their squares add up."""
    purchases, spend = ({name: value for name, value, _ in rows} for rows in (of_purchases, of_spend))
    for horizon in ERROR_HORIZONS:
        of_number, of_worth = purchases.get(f"relative_error_{horizon}d"), spend.get("relative_error")
        if of_number is not None and of_worth is not None:
            yield f"revenue_relative_error_{horizon}d", float(np.hypot(of_number, of_worth)), None


def _too_little(customers: float, repeaters: float) -> str | None:
    if customers < LEAST_CUSTOMERS:
        return f"{customers:,.0f} customers; {LEAST_CUSTOMERS} are needed"
    if repeaters < LEAST_REPEATERS:
        return f"{repeaters:,.0f} repeat customers; {LEAST_REPEATERS} are needed"
    return None


def _fit_rows(fit: Fit, names: tuple[str, ...], customers: float, states: int) -> Iterator[Row]:
    if not fit.converged:
        yield "problem", None, fit.problem
        return
    for name, value in zip(names, fit.parameters, strict=True):
        yield name, value, None
    yield "log_likelihood", fit.log_likelihood, None
    yield "customers", customers, None
    yield "states", states, None
    if fit.limits:
        yield "limit", None, "; ".join(fit.limits)


def relative_error(model: ModuleType, fit: Fit, states: PurchaseStates, horizon: float) -> float:
    """Return the standard error of the expected purchases of all, relative to them, by the delta method.

    It says how far the sum is off because the parameters are estimated: the square root of g' C g, where C is
    the covariance of the logarithms of the parameters (the inverse of the second derivatives of the negative
    log-likelihood) and g the slope of the sum's logarithm in them. What chance adds is the variance of the
    purchases.
    """
    weeks = states.tenure // GROUPED_WEEKS
    groups, where = np.unique(states.repeats * MANY_WEEKS + weeks, return_inverse=True)
    repeats, weeks = np.divmod(groups, MANY_WEEKS)
    tenure = (weeks + 0.5) * GROUPED_WEEKS
    grouped = PurchaseStates(repeats, np.zeros_like(tenure), tenure, np.ones_like(tenure))

    def log_sum(logs: Array) -> float:
        parameters = model.Parameters(*np.exp(logs))
        alive = np.bincount(where, weights=states.customers * model.probability_alive(parameters, states))
        return float(np.log((alive * model.purchases_if_alive(parameters, grouped, horizon)).sum()))

    return _delta_method(log_sum, fit)


def spend_relative_error(fit: Fit, states: SpendStates) -> float:
    """Return the standard error of the expected spend of all who came back, relative to it.

    By the delta method, like relative_error. Customers weigh by their purchases, as they do in the revenue to
    come. Who has bought once leans on the parameters more, and brings little.
    """
    weights = states.customers * states.purchases

    def log_sum(logs: Array) -> float:
        parameters = gamma_gamma.Parameters(*np.exp(logs))
        expected = gamma_gamma.expected_spend(parameters, states.purchases, states.mean_spend)
        return float(np.log((weights * expected).sum()))

    return _delta_method(log_sum, fit)


def _delta_method(log_sum: Callable[[Array], float], fit: Fit) -> float:
    """Return the standard error of a function of the logarithms of the parameters."""
    logs = np.log(fit.parameters)
    steps = np.eye(len(logs)) * DIFFERENCE
    slope = np.array([(log_sum(logs + step) - log_sum(logs - step)) / (2 * DIFFERENCE) for step in steps])
    return float(np.sqrt(max(slope @ fit.covariance @ slope, 0.0)))
