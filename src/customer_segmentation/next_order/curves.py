"""What a feature adds to the log-odds: a curve of straight pieces, which SQL can apply.

A value x is transformed (v), held between two percentiles of the training rows (u) and spread into columns

    (u - low) / (high - low) - 1/2        one straight line, and
    max(u - knot, 0) / (high - low)       a bend at each knot.

A linear model of them is a linear spline (truncated power basis of degree 1; Hastie, Tibshirani and
Friedman, The Elements of Statistical Learning, 5.2). An unknown value has a column of its own and no other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TRANSFORMS = ("plain", "log", "log_of_typical")
KNOTS = 3
OUTER = (0.01, 0.99)  # beyond these percentiles a value counts as the percentile
LARGEST = 1e15  # a value beyond it is taken for it, so that differences stay finite


@dataclass(frozen=True)
class Feature:
    """A column of the training rows, and how its values are transformed.

    plain: x itself. log: ln(1 + max(x, 0)), for counts and days. log_of_typical: ln(1 + max(x, 0) / unit)
    where unit is the median of the positive values, for money: it is the same in any currency.
    """

    name: str
    transform: str

    def __post_init__(self) -> None:
        if self.transform not in TRANSFORMS:
            raise ValueError(f"{self.name}: transform is '{self.transform}', which is none of {TRANSFORMS}")


@dataclass(frozen=True)
class Curve:
    """Where the curve of a feature begins, bends and ends, in transformed units; knots are ascending.

    A feature of which all values are equal or unknown has low = high and no knots: it has no slope.
    """

    feature: Feature
    unit: float
    low: float
    high: float
    knots: tuple[float, ...]

    @property
    def columns(self) -> int:
        """How many columns of the design are its own: the line, the bends, and one for unknown values."""
        return 2 + len(self.knots)

    def held(self, values: Array) -> Array:
        """Return u, shape (n,), of raw values (n,); nan where the value is unknown."""
        if self.feature.transform == "plain":
            return np.clip(values, self.low, self.high)
        return np.clip(np.log1p(np.maximum(values, 0.0) / self.unit), self.low, self.high)

    def design(self, values: Array) -> Array:
        """Return the columns of raw values (n,): shape (n, self.columns)."""
        unknown = ~np.isfinite(values)
        design = np.zeros((len(values), self.columns))
        design[:, -1] = unknown
        spread = self.high - self.low
        if spread > 0:
            u = np.where(unknown, self.low, self.held(np.where(unknown, 0.0, values)))
            design[:, 0] = (u - self.low) / spread - 0.5
            for position, knot in enumerate(self.knots, start=1):
                design[:, position] = np.maximum(u - knot, 0.0) / spread
            design[unknown, :-1] = 0.0
        return design


def fit_curve(feature: Feature, values: Array) -> Curve:
    """Return the curve of a feature for raw values (n,), nan where unknown.

    Percentiles and knots are values that occur (inverse of the empirical distribution), so that they are
    the same in any order of the rows. Knots lie at the quartiles of what is strictly between low and high:
    where half of the customers have one order, a quartile of all would be no knot.
    """
    known = np.clip(values[np.isfinite(values)], -LARGEST, LARGEST)
    unit = 1.0
    if feature.transform == "log_of_typical" and (known > 0).any():
        unit = _quantile(known[known > 0], 0.5)
    if len(known) == 0:
        return Curve(feature, unit, 0.0, 0.0, ())
    everything = Curve(feature, unit, -np.inf, np.inf, ())
    v = everything.held(known)
    low, high = (_quantile(v, share) for share in OUTER)
    inside = v[(v > low) & (v < high)]
    shares = np.arange(1, KNOTS + 1) / (KNOTS + 1)
    knots = sorted({_quantile(inside, share) for share in shares}) if len(inside) else []
    return Curve(feature, unit, low, high, tuple(knots))


def _quantile(values: Array, share: float) -> float:
    return float(np.quantile(values, share, method="inverted_cdf"))


def design_matrix(values: Array, curves: Sequence[Curve]) -> Array:
    """Return the design of values (n, features): the columns of each curve, n rows."""
    return np.hstack([curve.design(column) for curve, column in zip(curves, values.T, strict=True)])
