"""Customers as a Markov chain over segments: what a segment will be worth, and how the mix will change.

Pfeifer and Carraway (2000), Modeling customer relationships as Markov chains, Journal of Interactive
Marketing 14(2), 43-55.
"""

import numpy as np


def present_value(
    transitions: np.ndarray, rewards: np.ndarray, discount: float, periods: int | None = None
) -> np.ndarray:
    """Return the present value (k,) of a customer who starts in each state.

    transitions (k, k): probabilities from row to column; a row may sum to less than 1, the rest leaves for
    good. rewards (k,): what a period in the state brings, at its beginning. discount: rate per period. With
    `periods` T the sum over t = 0 ... T of (P / (1 + d))^t R, without it the limit (I - P / (1 + d))^-1 R
    (Pfeifer and Carraway 2000). Raises ValueError if there is no limit.
    """
    step = transitions / (1 + discount)
    if periods is None:
        if np.max(np.abs(np.linalg.eigvals(step)), initial=0) >= 1:
            raise ValueError("Without a discount and without an exit the value has no limit.")
        return np.linalg.solve(np.eye(len(rewards)) - step, rewards)
    value = np.array(rewards, float)
    for _ in range(periods):
        value = rewards + step @ value
    return value


def project(mix: np.ndarray, transitions: np.ndarray, arrivals: np.ndarray, periods: int) -> np.ndarray:
    """Return the customers (k,) of each state after some periods: each moves them and adds arrivals (k,)."""
    mix = np.array(mix, float)
    for _ in range(periods):
        mix = mix @ transitions + arrivals
    return mix


def distance(mix: np.ndarray, other: np.ndarray) -> float:
    """Return the total variation distance of two mixes (k,): the share of customers who stand elsewhere."""
    return float(np.abs(mix / mix.sum() - other / other.sum()).sum() / 2)
