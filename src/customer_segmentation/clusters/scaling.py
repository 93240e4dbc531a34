"""Puts columns of different units and shapes on one scale, so that each has its say and none drowns the rest.

A value x becomes z = (t(min(max(x, low), high)) - centre) / spread, where `low` and `high` are the 1st and
the 99th percentile, t is the logarithm for amounts, ln(1 + x) for counts and days, and x itself for shares;
`centre` is the median of what comes out. `spread` is the interquartile range divided by 1.349, which is the
standard deviation where values are normal, or the standard deviation where that is larger. So no column has a
variance above 1, also not one in which most customers have the same value and the interquartile range is 0 or
tiny.

What is not known becomes z = 0: neither high nor low.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TRANSFORMS = ("plain", "log", "log1p")
PERCENTILES = (1.0, 99.0)
MOST_UNKNOWN = 0.5
NORMAL_IQR = 1.349  # interquartile range of the standard normal distribution

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """How a column is put on the common scale.

    `transform` is one of TRANSFORMS; `low` and `high` are in the column's own unit, `centre` and `spread` in
    that of the transformed values. `null_share` is the share of values that were not known when the scale was
    fitted.
    """

    transform: str
    low: float
    high: float
    centre: float
    spread: float
    null_share: float = 0.0

    @property
    def is_log(self) -> bool:
        """Whether a logarithm is taken."""
        return self.transform != "plain"

    @property
    def shift(self) -> float:
        """What is added before the logarithm."""
        return 1.0 if self.transform == "log1p" else 0.0


class UnusableColumnError(ValueError):
    """The column can't tell customers apart; the message says why."""


def fit_scale(values: Vector, transform: str) -> Scale:
    """Fit the scale of a column.

    values: shape (n,), nan where not known. Raises UnusableColumnError if more than half are unknown or if
    nearly all that are known are equal, so that nothing is left between the percentiles. The logarithm of an
    amount is taken of positive amounts: what is 0 or less counts as the 1st percentile of those.
    """
    values = np.asarray(values, dtype=float)
    known = values[np.isfinite(values)]
    null_share = 1.0 - known.size / values.size if values.size else 1.0
    if null_share > MOST_UNKNOWN:
        raise UnusableColumnError(f"not known of {100 * null_share:.0f} % of the customers")
    positive = known[known > 0] if transform == "log" else known
    if positive.size == 0:
        raise UnusableColumnError("no value is above 0")
    low, high = (float(limit) for limit in np.percentile(positive, PERCENTILES))
    if transform == "log1p":
        low, high = max(low, 0.0), max(high, 0.0)
    if not low < high:
        raise UnusableColumnError("nearly all customers have the same value")
    bare = Scale(transform, low, high, centre=0.0, spread=1.0, null_share=null_share)
    transformed = standardise(known, bare)
    first, centre, third = (float(quartile) for quartile in np.percentile(transformed, (25, 50, 75)))
    spread = max((third - first) / NORMAL_IQR, float(transformed.std()))
    return Scale(transform, low, high, centre, spread, null_share)


def standardise(values: Vector, scale: Scale) -> Vector:
    """Return z of values, shape (n,); 0 where they are not known."""
    values = np.asarray(values, dtype=float)
    limited = np.clip(values, scale.low, scale.high)
    transformed = np.log(scale.shift + limited) if scale.is_log else limited
    return np.where(np.isfinite(values), (transformed - scale.centre) / scale.spread, 0.0)


def in_units(z: Vector | float, scale: Scale) -> Vector:
    """Return the values of which z is the standardised form: `standardise` the other way round."""
    transformed = scale.centre + scale.spread * np.asarray(z, dtype=float)
    return np.exp(transformed) - scale.shift if scale.is_log else transformed
