"""Integrals without a closed form, as sums over a fixed number of nodes.

The SQL of the scores takes the same sums over fewer nodes (macros/scores); a test compares the two.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BETA_STEPS = np.linspace(-3, 3, 61)
POWER_NODES, POWER_WEIGHTS = np.polynomial.legendre.leggauss(24)

# what is left of a power integral where its integrand has fallen below e^-30
NEGLIGIBLE = 30.0


def beta_expectation(
    a: Array, b: Array, f: Callable[[Array, Array], Array], at_0: Array, at_1: Array
) -> Array:
    """Return the mean of a smooth function f of p ~ Beta(a, b), however close to 0 a and b may be.

    The ends are taken out first: f(p) = f(0) (1 - p) + f(1) p + p (1 - p) g(p), where the mean of the last
    term is ab / ((a + b) (a + b + 1)) times the mean of g over Beta(a + 1, b + 1). The density of that has
    no pole, so the trapezoidal rule on the logit scale converges exponentially: centred on the mode, in
    standard deviations, stretched towards the tails by a hyperbolic sine (Takahasi and Mori 1974).

    a, b: of shape (n,), above 0. f: of p and 1 - p, which is given too because it may be too small to be a
    difference; takes and gives arrays of shape (n, 61). at_0, at_1: f at the ends, of shape (n,).
    """
    a, b = np.asarray(a, float)[:, None], np.asarray(b, float)[:, None]
    logit = np.log((a + 1) / (b + 1)) + np.sqrt(1 / (a + 1) + 1 / (b + 1)) * 2 * np.sinh(BETA_STEPS)
    log_p, log_q = -np.logaddexp(0, -logit), -np.logaddexp(0, logit)
    log_density = (a + 1) * log_p + (b + 1) * log_q
    weights = np.exp(log_density - log_density.max(axis=1, keepdims=True)) * np.cosh(BETA_STEPS)
    weights /= weights.sum(axis=1, keepdims=True)

    p, q = np.exp(log_p), np.exp(log_q)
    at_0, at_1 = np.asarray(at_0, float)[:, None], np.asarray(at_1, float)[:, None]
    between = ((f(p, q) - at_0 * q - at_1 * p) / (p * q) * weights).sum(axis=1, keepdims=True)
    mean = (at_0 * b + at_1 * a) / (a + b) + a * b / ((a + b) * (a + b + 1)) * between
    return mean[:, 0]


def power_nodes(a: Array, b: Array, p: Array, q: Array | float, length: Array | float) -> tuple[Array, Array]:
    """Return nodes u and weights whose sum is the integral of (1 + u/a)^-p (1 + u/b)^-q from 0 to length.

    Gauss-Legendre in ln(1 + u/c), where c = 1 / (p/a + q/b) is the length over which the integrand first
    falls: in this variable it has a width of about 1 whether it falls like an exponential or like a power.
    What lies beyond e^-30 is cut off.

    All arguments of shape (n,), all but `length` above 0. Returns two arrays of shape (n, 24).
    """
    a, b, p, q, length = (
        np.asarray(value, float)[:, None] for value in np.broadcast_arrays(a, b, p, q, length)
    )
    for scale, power in ((a, p), (b, q)):
        # a power of at most 1 falls too slowly to cut anything off
        reach = np.minimum(NEGLIGIBLE / np.maximum(power - 1, 0.1), 300)
        length = np.minimum(length, scale * np.expm1(reach))
    fall = 1 / (p / a + q / b)
    span = np.log1p(length / fall)
    steps = span * (POWER_NODES + 1) / 2
    nodes = fall * np.expm1(steps)
    height = np.exp(-p * np.log1p(nodes / a) - q * np.log1p(nodes / b))
    return nodes, POWER_WEIGHTS * height * (nodes + fall) * span / 2


def expm1_ratio(rate: Array | float, length: Array) -> Array:
    """Return the integral of e^(-rate u) over 0 <= u <= length, also for a rate of 0 or below; shape (n,)."""
    rate, length = np.broadcast_arrays(np.asarray(rate, float), np.asarray(length, float))
    small = np.abs(rate) * np.maximum(length, 1) < 1e-8
    safe = np.where(small, 1.0, rate)
    return np.where(small, length * (1 - rate * length / 2), -np.expm1(-safe * length) / safe)
