"""Pareto/NBD: purchases come at random while a customer is alive, who may leave at any time, unseen.

The rates of purchases are gamma(r, alpha) distributed among customers, those of leaving gamma(s, beta)
(Schmittlein, Morrison, Colombo 1987, Counting your customers, Management Science 33). The likelihood is
taken before its integral is turned into hypergeometric functions (Fader, Hardie 2005, A note on deriving
the Pareto/NBD model, section 3): alive all the time observed, or gone at a time after the last purchase.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, expit, gammaln

from customer_segmentation.lifetime.optimise import Coordinate, Fit, Likelihood, maximise
from customer_segmentation.lifetime.quadrature import expm1_ratio, power_nodes
from customer_segmentation.lifetime.states import PurchaseStates

Array = NDArray[np.float64]


class Parameters(NamedTuple):
    """Of the rates of purchases and of leaving; alpha and beta in units of time."""

    r: float
    alpha: float
    s: float
    beta: float


NOBODY_LEAVES = "nobody is seen to leave"
COORDINATES = (
    Coordinate("r", (1, 0, 0, 0), 1e-3, 1e3, high_means="all customers buy at the same rate"),
    Coordinate("r/alpha", (1, -1, 0, 0), 1e-8, 1e4),
    Coordinate("s", (0, 0, 1, 0), 1e-3, 1e3, NOBODY_LEAVES, "all customers are equally ready to leave"),
    Coordinate("s/beta", (0, 0, 1, -1), 1e-8, 1e4, NOBODY_LEAVES),
)


def likelihood(states: PurchaseStates) -> Likelihood:
    """Return the log-likelihood of histories and its gradient, taken under the integral, by parameters."""
    repeats, where = np.unique(states.repeats, return_inverse=True)
    customers = np.bincount(where, weights=states.customers)
    weights = states.customers
    total = float(weights.sum())

    def evaluate(values: Array) -> tuple[float, Array]:
        parameters = Parameters(*values)
        r, alpha, s, beta = parameters
        shape = r + states.repeats
        odds, nodes, density = _log_odds_left(parameters, states)
        left = weights * expit(odds)
        alive = weights - left
        purchase_time, leaving_time = alpha + states.tenure, beta + states.tenure
        # where the customer may have left: means over the times, each weighted by its likelihood
        purchase_nodes, leaving_nodes = alpha + nodes, beta + nodes

        def mean(values: Array) -> Array:
            return (density * values).sum(axis=1)

        value = (
            (customers * (gammaln(r + repeats) - gammaln(r))).sum()
            + total * (r * np.log(alpha) + s * np.log(beta))
            + (
                weights * (np.logaddexp(0, odds) - shape * np.log(purchase_time) - s * np.log(leaving_time))
            ).sum()
        )
        gradient = [
            (customers * (digamma(r + repeats) - digamma(r))).sum()
            + total * np.log(alpha)
            - (alive * np.log(purchase_time) + left * mean(np.log(purchase_nodes))).sum(),
            total * r / alpha - (shape * (alive / purchase_time + left * mean(1 / purchase_nodes))).sum(),
            total * np.log(beta)
            + left.sum() / s
            - (alive * np.log(leaving_time) + left * mean(np.log(leaving_nodes))).sum(),
            total * s / beta - (alive * s / leaving_time + left * (s + 1) * mean(1 / leaving_nodes)).sum(),
        ]
        return value, np.array(gradient)

    return evaluate


def fit(states: PurchaseStates) -> Fit:
    """Fit the model by maximum likelihood."""
    weights = states.customers
    total = float(weights.sum())
    # rates as seen, spread widely; lives from as long as the time observed to much longer
    time = float((weights * states.tenure).sum()) / total
    rate = max(float((weights * states.repeats).sum()) / max(time * total, 1e-9), 1e-6)
    starts = [
        (r, r / rate, s, s * lives * max(time, 1e-3))
        for r, s, lives in ((0.5, 0.5, 1.0), (2.0, 0.5, 5.0), (0.5, 2.0, 1.0), (2.0, 2.0, 20.0))
    ]
    return maximise(likelihood(states), starts, COORDINATES, total)


def probability_alive(parameters: Parameters, states: PurchaseStates) -> Array:
    """Return the probability that a customer has not left; shape (n,)."""
    return expit(-_log_odds_left(parameters, states)[0])


def purchases_if_alive(parameters: Parameters, states: PurchaseStates, horizon: float) -> Array:
    """Return the purchases expected of who is alive, whenever the last one was; shape (n,).

    The rate of purchases times the time that the customer may be expected to live within the horizon.
    """
    r, alpha, s, beta = parameters
    leaving_time = beta + states.tenure
    life = leaving_time * expm1_ratio(s - 1, np.log1p(horizon / leaving_time))
    return (r + states.repeats) / (alpha + states.tenure) * life


def _log_odds_left(parameters: Parameters, states: PurchaseStates) -> tuple[Array, Array, Array]:
    """Return the logarithm of the odds that a customer has left, and when.

    The times since the first purchase at which the customer may have left, and the likelihood of each, which
    add up to 1: both of shape (n, nodes).
    """
    r, alpha, s, beta = parameters
    shape, silence = r + states.repeats, states.tenure - states.last
    purchase_time, leaving_time = alpha + states.last, beta + states.last
    nodes, weights = power_nodes(purchase_time, leaving_time, shape, s + 1, silence)
    integral = weights.sum(axis=1)
    silent = integral > 0
    integral = np.where(silent, integral, 1)
    odds = (
        shape * np.log1p(silence / purchase_time)
        + s * np.log1p(silence / leaving_time)
        + np.log(s * integral / leaving_time)
    )
    return np.where(silent, odds, -np.inf), states.last[:, None] + nodes, weights / integral[:, None]
