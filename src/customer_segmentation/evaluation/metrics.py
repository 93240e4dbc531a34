"""Metrics of a prediction against what came, each with what every customer contributes to its error.

Every function takes `predicted` and `actual`, arrays of shape (n,) and n >= 1, and returns an `Estimate`,
or None where the metric is not defined. Ties count as ties: ranks are averaged, so the order of the rows
changes nothing.

The influence of a customer is the first derivative of the metric by that customer's weight, times n (Hampel
1974; Efron 1982, the infinitesimal jackknife). Its sum of squares gives the standard error without drawing
anything, also for the difference of two metrics on the same customers. For the area under the curve this is
the interval of DeLong, DeLong and Clarke-Pearson 1988.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats
from sklearn.linear_model import LogisticRegression

TOP_SHARE = 0.1
SMALLEST_PROBABILITY = 1e-6  # log odds of 0 and 1 are infinite
SMALLEST_SPREAD = 1e-9  # of log odds that are not one and the same
FURTHEST = 50.0  # no log odds are further apart


@dataclass(frozen=True)
class Estimate:
    """A metric and the influence of each customer on it, of shape (n,) and mean 0."""

    value: float
    influence: np.ndarray


def standard_error(influence: np.ndarray) -> float:
    """Return the standard error, over customers drawn anew, that belongs to influences of shape (n,)."""
    return float(np.sqrt(np.sum(influence**2)) / len(influence))


def bias(predicted: np.ndarray, actual: np.ndarray) -> Estimate | None:
    """Return the sum predicted over the sum that came, less 1: 0.1 is 10 % too much.

    None without a positive sum.
    """
    mean = actual.mean()
    if mean <= 0:
        return None
    value = predicted.mean() / mean - 1
    return Estimate(float(value), (predicted - (1 + value) * actual) / mean)


def mean_absolute_error(predicted: np.ndarray, actual: np.ndarray) -> Estimate:
    """Return the mean absolute error. Where most do nothing, a prediction of nothing does well by it."""
    error = np.abs(predicted - actual)
    return Estimate(float(error.mean()), error - error.mean())


def mean_squared_error(predicted: np.ndarray, actual: np.ndarray) -> Estimate:
    """Return the mean squared error; of a probability that is the score of Brier 1950."""
    error = (predicted - actual) ** 2
    return Estimate(float(error.mean()), error - error.mean())


def root_mean_squared_error(predicted: np.ndarray, actual: np.ndarray) -> Estimate:
    """Return the root of the mean squared error."""
    squared = mean_squared_error(predicted, actual)
    value = np.sqrt(squared.value)
    return Estimate(float(value), squared.influence / (2 * value) if value > 0 else squared.influence)


def rank_correlation(predicted: np.ndarray, actual: np.ndarray) -> Estimate | None:
    """Return Spearman's rank correlation, in which equal predictions rank nobody; None if all did the same.

    Spearman's coefficient divides by the spread of both ranks, so a rule that says the same of many is
    rewarded for that, where many do the same: half of a shop's customers with one order. Here the spread of
    the predicted ranks is taken as if there were no ties (as in Kendall's tau-a). Without ties it is
    Spearman's; of one prediction for all it is 0.

    As a function of the two distributions F and G, at the middle of their steps, it is the covariance
    E[FG] - 1/4 over the root of (1 - 1/n^2)/12 (E[G^2] - 1/4), and influences follow by the chain rule.
    """
    if np.ptp(actual) == 0:
        return None
    f, g = _Steps(predicted), _Steps(actual)
    cross, spread = _product_of_steps(f, g), _product_of_steps(g, g)
    variance = spread.value - 0.25
    scale = np.sqrt((1 - 1 / len(actual) ** 2) / 12 * variance)
    value = (cross.value - 0.25) / scale
    influence = cross.influence / scale - value / 2 * spread.influence / variance
    return Estimate(float(np.clip(value, -1, 1)), influence)


def area_under_curve(predicted: np.ndarray, actual: np.ndarray) -> Estimate | None:
    """Return the chance that who did (actual 1) was ranked above who did not (0), a tie counting half.

    None if all did, or nobody. By ranks within and over both groups, as Sun and Xu 2014 compute DeLong's
    variance.
    """
    did = actual > 0.5
    positives, negatives = int(did.sum()), int((~did).sum())
    if not positives or not negatives:
        return None
    ranks = stats.rankdata(predicted)
    share = np.empty(len(predicted))
    share[did] = (ranks[did] - stats.rankdata(predicted[did])) / negatives
    share[~did] = 1 - (ranks[~did] - stats.rankdata(predicted[~did])) / positives
    value = share[did].mean()
    weight = np.where(did, positives, negatives) / len(predicted)
    return Estimate(float(value), (share - value) / weight)


def lift_in_top_tenth(predicted: np.ndarray, actual: np.ndarray) -> Estimate | None:
    """Return the mean of the tenth with the highest predictions over the mean of all.

    None without a positive mean.
    Where equal predictions straddle the edge, each of them is in the tenth with an equal share.
    """
    overall = actual.mean()
    if overall <= 0:
        return None
    n = len(predicted)
    _, group, size = np.unique(-predicted, return_inverse=True, return_counts=True)
    above = np.cumsum(size) - size
    weight = np.clip((TOP_SHARE * n - above) / size, 0, 1)[group]
    top = (weight * actual).mean() / TOP_SHARE
    value = top / overall
    # the edge moves as well: what is there enters or leaves the tenth
    position = stats.rankdata(-predicted) / n
    near_edge = np.abs(position - TOP_SHARE) <= TOP_SHARE / 2
    at_edge = actual[near_edge].mean() if near_edge.any() else overall
    influence = (weight * actual - TOP_SHARE * top - at_edge * (weight - TOP_SHARE)) / TOP_SHARE
    return Estimate(float(value), (influence - value * (actual - overall)) / overall)


def calibration_slope(predicted: np.ndarray, actual: np.ndarray) -> Estimate | None:
    """Return the slope of a logistic regression of what came on the predicted log odds (Cox 1958).

    1 is right. Below 1 the probabilities are too far apart, above too close together. None where there is no
    such slope: one probability for all, or one that tells apart all who did from all who did not.
    """
    odds, did = log_odds(predicted), actual > 0.5
    if not did.any() or did.all() or np.ptp(odds) < SMALLEST_SPREAD:
        return None
    if odds[did].min() >= odds[~did].max() or odds[did].max() <= odds[~did].min():
        return None
    spread = odds.std()
    standardised = ((odds - odds.mean()) / spread)[:, None]
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10).fit(standardised, did)
    chance = model.predict_proba(standardised)[:, 1]
    influence = _influence(np.column_stack([np.ones(len(odds)), standardised]), did - chance, chance)
    return Estimate(float(model.coef_[0, 0] / spread), influence[:, 1] / spread)


def calibration_intercept(predicted: np.ndarray, actual: np.ndarray) -> Estimate | None:
    """Return by how much the log odds are too low for all, with their slope kept at 1; 0 is right.

    That is "calibration in the large" of Steyerberg 2009. None if all did, or nobody.
    """
    did = actual > 0.5
    if not did.any() or did.all():
        return None
    odds = log_odds(predicted)
    value = optimize.brentq(lambda shift: (did - special.expit(odds + shift)).sum(), -FURTHEST, FURTHEST)
    chance = special.expit(odds + value)
    return Estimate(value, _influence(np.ones((len(did), 1)), did - chance, chance)[:, 0])


def log_odds(probability: np.ndarray) -> np.ndarray:
    """Return ln(p / (1 - p)), with p held between one and a million less one in a million."""
    return special.logit(np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))


class _Steps:
    """An empirical distribution at the middle of its steps, with the sums that influences need."""

    def __init__(self, values: np.ndarray):
        _, self.group, self.size = np.unique(values, return_inverse=True, return_counts=True)
        self.at = ((np.cumsum(self.size) - self.size / 2) / len(values))[self.group]

    def mean_above(self, other: np.ndarray) -> np.ndarray:
        """Return for each customer the mean of `other` over larger values, equal ones by half."""
        sums = np.bincount(self.group, weights=other)
        return ((sums[::-1].cumsum()[::-1] - sums / 2) / len(other))[self.group]


def _product_of_steps(f: _Steps, g: _Steps) -> Estimate:
    value = (f.at * g.at).mean()
    return Estimate(value, f.at * g.at + f.mean_above(g.at) + g.mean_above(f.at) - 3 * value)


def _influence(design: np.ndarray, residual: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Return the influence of each customer on the coefficients of a logistic regression, shape (n, k)."""
    # a hair above 0, so that the matrix can be inverted where all chances are next to 0 or 1
    weight = np.maximum(chance * (1 - chance), 1e-12)
    # sums by einsum are the same whatever the number of threads
    information = np.einsum("ni,n,nj->ij", design, weight, design)
    return len(chance) * (design * residual[:, None]) @ np.linalg.inv(information)
