"""BG/NBD: purchases come at random while a customer is alive, and after each of them the customer may leave.

Purchases come at a rate that is gamma(r, alpha) distributed among customers, and the probability to leave
after one is beta(a, b) distributed (Fader, Hardie, Lee 2005, "Counting your customers" the easy way,
Marketing Science 24). Who never came back is alive for certain, since nobody leaves before the first
repeat.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, expit, gammaln

from customer_segmentation.lifetime.optimise import Coordinate, Fit, Likelihood, maximise
from customer_segmentation.lifetime.quadrature import beta_expectation
from customer_segmentation.lifetime.states import PurchaseStates

Array = NDArray[np.float64]


class Parameters(NamedTuple):
    """Of the rates (alpha in units of time) and of the probabilities to leave."""

    r: float
    alpha: float
    a: float
    b: float


NOBODY_LEAVES = "nobody is seen to leave"
COORDINATES = (
    Coordinate("r", (1, 0, 0, 0), 1e-3, 1e3, high_means="all customers buy at the same rate"),
    Coordinate("r/alpha", (1, -1, 0, 0), 1e-8, 1e4),
    Coordinate("a", (0, 0, 1, 0), 1e-3, 1e3, NOBODY_LEAVES, "all customers are equally ready to leave"),
    Coordinate("a/b", (0, 0, 1, -1), 1e-5, 1e5, NOBODY_LEAVES),
)


def likelihood(states: PurchaseStates) -> Likelihood:
    """Return the log-likelihood of histories and its exact gradient, by parameters (paper, equation 6)."""
    # what depends on the number of repeats alone is worked out once for each number
    repeats, where = np.unique(states.repeats, return_inverse=True)
    customers = np.bincount(where, weights=states.customers)
    weights = states.customers
    total = float(weights.sum())

    def evaluate(values: Array) -> tuple[float, Array]:
        parameters = Parameters(*values)
        r, alpha, a, b = parameters
        shape = r + states.repeats
        odds = _log_odds_left(parameters, states)
        left = weights * expit(odds)
        log_tenure, log_last = np.log(alpha + states.tenure), np.log(alpha + states.last)
        value = (
            (customers * _of_counts(parameters, repeats)).sum()
            + total * r * np.log(alpha)
            + (weights * (np.logaddexp(0, odds) - shape * log_tenure)).sum()
        )
        per_tenure, per_last = 1 / (alpha + states.tenure), 1 / (alpha + states.last)
        either = digamma(a + b) - digamma(a + b + repeats)
        staying = digamma(b + repeats) - digamma(b)
        gradient = [
            (customers * (digamma(r + repeats) - digamma(r))).sum()
            + total * np.log(alpha)
            + (left * (log_tenure - log_last) - weights * log_tenure).sum(),
            total * r / alpha + (shape * (left * (per_tenure - per_last) - weights * per_tenure)).sum(),
            (customers * either).sum() + left.sum() / a,
            (customers * (either + staying)).sum() - (left / _stayed(b, states.repeats)).sum(),
        ]
        return value, np.array(gradient)

    return evaluate


def fit(states: PurchaseStates) -> Fit:
    """Fit the model by maximum likelihood."""
    weights = states.customers
    # rates as seen, spread widely; the chance to leave from low to high
    rate = max(float((weights * states.repeats).sum() / max((weights * states.tenure).sum(), 1e-9)), 1e-6)
    starts = [
        (r, r / rate, a, b)
        for r, a, b in ((0.5, 0.5, 2.0), (2.0, 0.5, 10.0), (0.2, 1.0, 1.0), (5.0, 2.0, 50.0))
    ]
    return maximise(likelihood(states), starts, COORDINATES, float(weights.sum()))


def probability_alive(parameters: Parameters, states: PurchaseStates) -> Array:
    """Return the probability that a customer has not left; 1 for who never came back. Shape (n,)."""
    return expit(-_log_odds_left(parameters, states))


def purchases_if_alive(parameters: Parameters, states: PurchaseStates, horizon: float) -> Array:
    """Return the purchases expected of who is alive, whenever the last one was; shape (n,).

    Equation 10 of the paper, with the integral that its hypergeometric function stands for: given the rate
    and the probability p to leave, (1 - e^(-rate p t)) / p purchases are expected.
    """
    r, alpha, a, b = parameters
    # the shape of the rate's gamma distribution given the history, and the horizon in its scale
    shape, scaled = r + states.repeats, horizon / (alpha + states.tenure)

    def purchases(p: Array, _: Array) -> Array:
        return -np.expm1(-shape[:, None] * np.log1p(p * scaled[:, None])) / p

    at_1 = -np.expm1(-shape * np.log1p(scaled))
    return beta_expectation(np.full_like(shape, a), b + states.repeats, purchases, shape * scaled, at_1)


def _of_counts(parameters: Parameters, repeats: Array) -> Array:
    """Return what of the log-likelihood depends on the number of repeats alone."""
    r, _, a, b = parameters
    leaving = gammaln(a + b) - gammaln(b) + gammaln(b + repeats) - gammaln(a + b + repeats)
    return gammaln(r + repeats) - gammaln(r) + leaving


def _log_odds_left(parameters: Parameters, states: PurchaseStates) -> Array:
    """Return the logarithm of the odds that a customer has left; minus infinity without a repeat."""
    r, alpha, a, b = parameters
    silence = np.log1p((states.tenure - states.last) / (alpha + states.last))
    odds = np.log(a / _stayed(b, states.repeats)) + (r + states.repeats) * silence
    return np.where(states.repeats > 0, odds, -np.inf)


def _stayed(b: float, repeats: Array) -> Array:
    """Return the second parameter of the chance to leave, given the repeats but the last; 1 without any."""
    return np.where(repeats > 0, b + repeats - 1, 1)
