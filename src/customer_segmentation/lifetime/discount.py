"""The present value of purchases to come."""

from collections.abc import Callable

import numpy as np

Array = np.ndarray

DAYS_OF_A_YEAR = 365

# Lobatto's rule with five points is exact up to the seventh degree. Its ends cost nothing: no purchases
# have been made at the beginning, and those at the end are wanted anyway.
NODES = (0.5 - np.sqrt(3 / 7) / 2, 0.5, 0.5 + np.sqrt(3 / 7) / 2, 1.0)
WEIGHTS = (49 / 180, 16 / 45, 49 / 180, 1 / 20)


def discounted_purchases(
    expected: Callable[[float], Array], horizon_days: float, annual_rate: float
) -> Array:
    """Return the expected purchases of a horizon, each discounted to its beginning.

    With M(t) purchases expected until t and a continuous rate d, the integral of e^(-d t) dM(t) over the
    horizon H is, by parts, e^(-d H) M(H) + d times the integral of e^(-d t) M(t) dt.

    expected: gives M for a time in days, of shape (n,). annual_rate: 0.1 discounts by 1.1 per 365 days.
    """
    weights = discount_weights(horizon_days, annual_rate)
    return sum(weight * expected(node * horizon_days) for node, weight in zip(NODES, weights, strict=True))


def discount_weights(horizon_days: float, annual_rate: float) -> tuple[float, ...]:
    """Return what purchases expected until each of the NODES of the horizon count for."""
    rate = np.log1p(annual_rate) / DAYS_OF_A_YEAR * horizon_days
    weights = [rate * weight * np.exp(-rate * node) for node, weight in zip(NODES, WEIGHTS, strict=True)]
    weights[-1] += np.exp(-rate)
    return tuple(float(weight) for weight in weights)
