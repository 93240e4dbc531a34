"""Gamma-Gamma: what customers spend per purchase, and how far a mean of few purchases is to be believed.

A purchase is gamma(p, nu) distributed around the customer's own mean p / nu, and nu is gamma(q, v)
distributed among customers (Fader, Hardie 2013, The gamma-gamma model of monetary value). Spend is taken to
be independent of how often customers buy.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln

from customer_segmentation.lifetime.optimise import Coordinate, Fit, maximise
from customer_segmentation.lifetime.states import SpendStates

Array = NDArray[np.float64]


class Parameters(NamedTuple):
    """Of the spread within customers (p) and between them (q, v; v in units of money)."""

    p: float
    q: float
    v: float


COORDINATES = (
    Coordinate("p", (1, 0, 0), 1e-3, 1e3, high_means="a customer spends the same at each purchase"),
    Coordinate("q", (0, 1, 0), 1e-2, 1e3, high_means="all customers spend the same on average"),
    Coordinate("pv/q", (1, -1, 1), 1e-4, 1e4),
)


def log_likelihood(parameters: Parameters, states: SpendStates) -> Array:
    """Return the log-likelihood of each state, for one customer; shape (n,). Equation 1a of the paper."""
    p, q, v = parameters
    shape, total = p * states.purchases, states.purchases * states.mean_spend
    return (
        gammaln(shape + q)
        - gammaln(shape)
        - gammaln(q)
        + q * np.log(v / (v + total))
        + shape * np.log(total / (v + total))
        - np.log(states.mean_spend)
    )


def fit(states: SpendStates) -> Fit:
    """Fit the model by maximum likelihood, with the exact gradient, to spend scaled to a mean of 1."""
    purchases, weights = states.purchases, states.customers
    customers = float(weights.sum())
    unit = float((weights * states.mean_spend).sum()) / customers
    scaled = SpendStates(purchases, states.mean_spend / unit, weights)
    total = purchases * scaled.mean_spend

    def evaluate(parameters: Array) -> tuple[float, Array]:
        p, q, v = parameters
        shape = p * purchases
        both = digamma(shape + q)
        gradient = [
            (weights * purchases * (both - digamma(shape) + np.log(total / (v + total)))).sum(),
            (weights * (both - digamma(q) + np.log(v / (v + total)))).sum(),
            (weights * (q / v - (shape + q) / (v + total))).sum(),
        ]
        return (weights * log_likelihood(Parameters(p, q, v), scaled)).sum(), np.array(gradient)

    starts = [(p, q, (q - 1) / p) for p, q in ((5.0, 3.0), (1.0, 2.0), (50.0, 10.0), (2.0, 50.0))]
    fitted = maximise(evaluate, starts, COORDINATES, customers)
    p, q, v = fitted.parameters
    return Fit(
        parameters=(p, q, v * unit),
        log_likelihood=fitted.log_likelihood - customers * np.log(unit),
        covariance=fitted.covariance,
        problem=fitted.problem or (None if q > 1 else f"q is {q:.3g}: up to 1 there is no mean spend"),
        limits=fitted.limits,
    )


def expected_spend(parameters: Parameters, purchases: Array, mean_spend: Array) -> Array:
    """Return the expected spend per purchase; shape (n,). Equation 5 of the paper.

    The mean of all customers and the customer's own, weighted by how much is known of the customer. Without a
    purchase it is that of all customers.
    """
    p, q, v = parameters
    return p * (v + purchases * mean_spend) / (p * purchases + q - 1)
