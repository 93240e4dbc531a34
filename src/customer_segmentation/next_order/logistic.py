"""Penalised logistic regression by Newton's method."""

from dataclasses import dataclass

import numpy as np
from scipy import linalg
from scipy.special import expit

from customer_segmentation.next_order.curves import Array

MOST_STEPS = 50
SMALL_STEP = 1e-9  # of a coefficient, in log-odds: Newton's last step, so the error left is about its square


@dataclass(frozen=True)
class Logistic:
    """Coefficients of shape (p,), the first the intercept, and whether the maximum was found."""

    coefficients: Array
    has_converged: bool


def fit_logistic(design: Array, outcome: Array, penalty: float, start: Array | None = None) -> Logistic:
    """Maximise log-likelihood - penalty / 2 * sum of squared coefficients, the intercept left out of the sum.

    design: shape (n, p), first column all ones. outcome: shape (n,), 0 or 1, both present. penalty: above 0,
    the inverse variance of a normal prior; it does not grow with n. start: coefficients of shape (p,).

    Newton's method is iteratively reweighted least squares (Hastie, Tibshirani and Friedman, The Elements of
    Statistical Learning, 4.4.1, penalty 4.4.4); a step is halved until the objective doesn't fall.
    """
    penalties = np.full(design.shape[1], penalty)
    penalties[0] = 0.0
    share = outcome.mean()
    if start is None:
        start = np.zeros(design.shape[1])
        start[0] = np.log(share / (1 - share))
    coefficients, log_odds = start, design @ start
    objective = _objective(log_odds, outcome, coefficients, penalties)
    for _ in range(MOST_STEPS):
        probability = expit(log_odds)
        gradient = design.T @ (outcome - probability) - penalties * coefficients
        weighted = design * np.sqrt(probability * (1 - probability))[:, None]
        information = weighted.T @ weighted
        information[np.diag_indices_from(information)] += penalties
        try:
            step = linalg.solve(information, gradient, assume_a="pos")
        except linalg.LinAlgError:  # all probabilities are 0 or 1, to the last digit
            return Logistic(coefficients, has_converged=False)
        size = 1.0
        while True:
            tried = coefficients + size * step
            log_odds = design @ tried
            found = _objective(log_odds, outcome, tried, penalties)
            if found >= objective - 1e-12 * abs(objective):
                break
            size /= 2
            if size < 1e-6:
                return Logistic(coefficients, has_converged=False)
        coefficients, objective = tried, found
        if np.abs(size * step).max() < SMALL_STEP:
            return Logistic(coefficients, has_converged=True)
    return Logistic(coefficients, has_converged=False)


def _objective(log_odds: Array, outcome: Array, coefficients: Array, penalties: Array) -> float:
    likelihood = outcome @ log_odds - np.logaddexp(0.0, log_odds).sum()
    return float(likelihood - 0.5 * penalties @ coefficients**2)
