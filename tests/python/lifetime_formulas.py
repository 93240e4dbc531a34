"""What the SQL of lifetime value says of customers, once more in numpy.

The package has what a fit needs; the other formulas of both models are here. They are held against brute
force and papers, and SQL against them. `model` is bg_nbd or pareto_nbd.
"""

from collections.abc import Callable
from types import ModuleType

import numpy as np

from customer_segmentation.lifetime import bg_nbd, pareto_nbd
from customer_segmentation.lifetime.quadrature import beta_expectation, expm1_ratio, power_nodes
from customer_segmentation.lifetime.states import PurchaseStates, SpendStates

Array = np.ndarray

DAYS_OF_A_YEAR = 365

# Lobatto's rule with five points, in the square root of time because purchases of new customers come early.
# Its ends cost nothing: at the beginning there are no purchases yet, and those at the end are wanted anyway.
STEPS = (0.5 - np.sqrt(3 / 7) / 2, 0.5, 0.5 + np.sqrt(3 / 7) / 2, 1.0)
WEIGHTS = (49 / 180, 16 / 45, 49 / 180, 1 / 20)


def purchase_states(
    repeats: Array, last: Array, tenure: Array, customers: Array | None = None
) -> PurchaseStates:
    """Return histories as arrays of floats, one customer each unless said otherwise."""
    repeats, last, tenure = (np.atleast_1d(np.asarray(values, float)) for values in (repeats, last, tenure))
    weights = np.ones_like(repeats) if customers is None else np.atleast_1d(np.asarray(customers, float))
    return PurchaseStates(repeats, last, tenure, weights)


def spend_states(purchases: Array, mean_spend: Array, customers: Array | None = None) -> SpendStates:
    """Return histories as arrays of floats, one customer each unless said otherwise."""
    purchases, mean_spend = (np.atleast_1d(np.asarray(values, float)) for values in (purchases, mean_spend))
    weights = np.ones_like(purchases) if customers is None else np.atleast_1d(np.asarray(customers, float))
    return SpendStates(purchases, mean_spend, weights)


def log_likelihood(model: ModuleType, parameters: tuple, states: PurchaseStates) -> Array:
    """Return what the fit maximises, of one customer in each state; shape (n,)."""
    rows = zip(*states[:3], strict=True)
    return np.array([model.likelihood(purchase_states(*row))(np.array(parameters))[0] for row in rows])


def expected_purchases(model: ModuleType, parameters: tuple, states: PurchaseStates, horizon: float) -> Array:
    """Return the purchases expected within the horizon after the time observed; shape (n,)."""
    alive = model.probability_alive(parameters, states)
    return alive * model.purchases_if_alive(parameters, states, horizon)


def purchase_variance(model: ModuleType, parameters: tuple, states: PurchaseStates, horizon: float) -> Array:
    """Return the variance of the purchases within the horizon, given the parameters; shape (n,)."""
    pairs = {bg_nbd: _pairs_of_bg_nbd, pareto_nbd: _pairs_of_pareto_nbd}[model]
    mean = expected_purchases(model, parameters, states, horizon)
    return model.probability_alive(parameters, states) * pairs(parameters, states, horizon) + mean * (
        1 - mean
    )


def _pairs_of_bg_nbd(parameters: tuple, states: PurchaseStates, horizon: float) -> Array:
    """Return the mean of Y (Y - 1) of who is alive.

    Given rate and p it is 2 (1 - p) / p² (1 - e^-z - z e^-z), z = rate p t: Y is the smaller of a Poisson
    count and a geometric one, and both sums over their tails are known.
    """
    r, alpha, a, b = parameters
    shape, scaled = r + states.repeats, horizon / (alpha + states.tenure)
    k, t = shape[:, None], scaled[:, None]

    def pairs(p: Array, q: Array) -> Array:
        z = p * t
        # where the difference would be lost in rounding, the first terms of its series
        small = (k + 1) * z < 1e-2
        series = k * (k + 1) * t**2 * (1 - (k + 2) * z * (2 / 3 - (k + 3) * z * (1 / 4 - (k + 4) * z / 15)))
        grown = np.log1p(z)
        silent = -np.expm1(-k * grown) - k * z * np.exp(-(k + 1) * grown)
        return q * np.where(small, series, 2 * silent / p**2)

    at_0 = shape * (shape + 1) * scaled**2
    return beta_expectation(np.full_like(shape, a), b + states.repeats, pairs, at_0, np.zeros_like(shape))


def _pairs_of_pareto_nbd(parameters: tuple, states: PurchaseStates, horizon: float) -> Array:
    """Return the mean of Y (Y - 1) of who is alive.

    Given the rate and the time lived, purchases are a Poisson count: it is the mean of the squared rate times
    that of the squared time, which is the integral of 2u times the chance to live to u.
    """
    r, alpha, s, beta = parameters
    shape, leaving_time = r + states.repeats, beta + states.tenure
    span = np.log1p(horizon / leaving_time)
    difference = expm1_ratio(s - 2, span) - expm1_ratio(s - 1, span)
    life_squared = leaving_time**2 * np.where(span < 1e-7, span**2, 2 * difference)
    return shape * (shape + 1) / (alpha + states.tenure) ** 2 * life_squared


def probability_no_purchase(
    model: ModuleType, parameters: tuple, states: PurchaseStates, horizon: float
) -> Array:
    """Return the probability of no purchase within the horizon: gone, or alive and silent. Shape (n,).

    Of Pareto/NBD: the first purchase comes at u if the customer is alive then and has been silent until then;
    integrated over u.
    """
    alive = model.probability_alive(parameters, states)
    shape, purchase_time = parameters[0] + states.repeats, parameters[1] + states.tenure
    if model is bg_nbd:
        return 1 + alive * np.expm1(-shape * np.log1p(horizon / purchase_time))
    s, leaving_time = parameters[2], parameters[3] + states.tenure
    silent = power_nodes(purchase_time, leaving_time, shape + 1, s, horizon)[1].sum(axis=1)
    return 1 - alive * shape / purchase_time * silent


def squared_spend(parameters: tuple, purchases: Array, mean_spend: Array) -> Array:
    """Return the expectation of a customer's squared mean spend, infinite where there is none; shape (n,).

    nu is gamma(p n + q, v + n m) distributed given the history, and the mean is p / nu.
    """
    p, q, v = parameters
    shape = p * np.asarray(purchases, float) + q
    finite = shape > 2
    squared = (p * (v + purchases * mean_spend)) ** 2
    return np.where(finite, squared / np.where(finite, (shape - 1) * (shape - 2), 1), np.inf)


def discounted_purchases(
    expected: Callable[[float], Array], horizon_days: float, annual_rate: float
) -> Array:
    """Return the expected purchases of a horizon, each discounted to its beginning.

    With M(t) purchases expected until t and a continuous rate d, the integral of e^(-d t) dM(t) over the
    horizon H is, by parts, e^(-d H) M(H) + d times the integral of e^(-d t) M(t) dt. The rule for the latter
    is good to 0.0003 of the result for three years and 0.1 a year, mostly to 0.00002.

    expected: gives M for a time in days, of shape (n,). annual_rate: 0.1 discounts by 1.1 per 365 days.
    """
    rate = np.log1p(annual_rate) / DAYS_OF_A_YEAR * horizon_days
    total = np.zeros(())
    for step, weight in zip(STEPS, WEIGHTS, strict=True):
        share = rate * weight * 2 * step * np.exp(-rate * step**2)
        if step == 1:
            share += np.exp(-rate)
        total = total + share * expected(step**2 * horizon_days)
    return total
