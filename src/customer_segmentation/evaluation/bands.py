"""The 90 % band of an expected total: what is in it, and how many totals it held when it was not asked.

A total of expected amounts is off by four things. Chance and the error of the parameters are known from the
fit. How far the model is off beside that shows on past holdouts alone, in two parts: a *common* one, by which
the total of all customers missed what came, and one of the *cells* of customers, which differ from it.

    half a band = sqrt( z^2 (V + (e E)^2 + (i E (1 - s))^2) + (t c E)^2 )

E is the expected total and s its share of that of all, V the variance by chance and e the relative error of
the parameters; c is the root mean square of the misses of all customers, relative to what was expected of
them, and i the relative error of cells beyond chance. i counts the less, the more of all customers a total
is of: deviations from the common miss add up to nothing. z is the normal quantile, t is Student's, with as
many degrees of freedom as there are holdouts apart in time: (miss to come) / c has that distribution if
misses are normal around 0 (Student 1908). Half-widths with quantiles of their own are joined by their
squares, as by Zou and Donner 2008. Misses contain chance and the error of the parameters as well, so the
band of all customers is rather too wide than too narrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import stats

COVERAGE = 0.9
QUANTILE = (1 + COVERAGE) / 2
Z_90 = 1.6448536269514722
FEWEST_IN_A_CELL = 30
# With fewer windows apart t is above 2.4, so that a horizon with fewer of its own leans on the shorter one.
FEWEST_WINDOWS = 3


@dataclass(frozen=True)
class Holdout:
    """What was expected of cells of customers and what came, in the days from `begin` for `horizon` days.

    expected, came, variance: sums over the customers of each cell, of shape (cells,). judged: whether a cell
    has customers enough. relative_error: that of the parameters.
    """

    begin: pd.Timestamp
    horizon: int
    expected: np.ndarray
    came: np.ndarray
    variance: np.ndarray
    judged: np.ndarray
    relative_error: float

    @cached_property
    def total(self) -> float:
        """What was expected of all."""
        return float(self.expected.sum())

    @property
    def miss(self) -> float:
        """By how much the total that came differs from the expected one, relative to it."""
        return float(self.came.sum()) / self.total - 1

    @property
    def share(self) -> np.ndarray:
        """The share of each cell in what was expected of all."""
        return self.expected / self.total


@dataclass(frozen=True)
class Parts:
    """Half-widths of the two parts that only holdouts show, as shares of a total, and what they rest on."""

    common: float
    cells: float
    holdouts: int
    windows: int

    def half_widths(self, holdout: Holdout) -> tuple[np.ndarray, float]:
        """Return half the band of each cell, of shape (cells,), and that of the total."""
        apart = self.cells * (1 - holdout.share) * holdout.expected
        known = Z_90**2 * (holdout.variance + (holdout.relative_error * holdout.expected) ** 2)
        of_cells = np.sqrt(known + apart**2 + (self.common * holdout.expected) ** 2)
        known = Z_90**2 * (holdout.variance.sum() + (holdout.relative_error * holdout.total) ** 2)
        return of_cells, float(np.sqrt(known + (self.common * holdout.total) ** 2))


def read_holdout(group: pd.DataFrame) -> Holdout | None:
    """Return the cells of one score and date, customers without a cell, variance or relative error left out.

    None if nothing was expected of anybody.
    """
    columns = ["predicted", "actual", "variance", "relative_error"]
    values = group[columns].to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(values).all(axis=1) & group["cell"].notna().to_numpy()
    predicted, actual, variance, relative_error = values[known].T
    if not predicted.sum() > 0:
        return None
    _, cell, size = np.unique(group["cell"].to_numpy()[known], return_inverse=True, return_counts=True)
    expected = np.bincount(cell, predicted)
    return Holdout(
        begin=pd.Timestamp(group["as_of_date"].iloc[0]),
        horizon=int(group["horizon_days"].iloc[0]),
        expected=expected,
        came=np.bincount(cell, actual),
        variance=np.bincount(cell, variance),
        judged=(size >= FEWEST_IN_A_CELL) & (expected > 0),
        relative_error=float(relative_error.mean()),
    )


def parts(holdouts: Sequence[Holdout], horizon: int) -> Parts | None:
    """Return what holdouts of one outcome say of a band for a horizon; None without any.

    Holdouts of the horizon itself count if FEWEST_WINDOWS of them are apart in time. Fewer (a year of data
    has a single window of a year) would need a t so large that the band says nothing: then shorter horizons
    count as well, each part is the larger of theirs, and so are the degrees of freedom.
    """
    own = [holdout for holdout in holdouts if holdout.horizon == horizon]
    shorter = [holdout for holdout in holdouts if holdout.horizon < horizon]
    pools = [own] if windows_apart(own) >= FEWEST_WINDOWS or not shorter else [own, shorter]
    pools = [pool for pool in pools if pool]
    if not pools:
        return None
    windows = max(map(windows_apart, pools))
    return Parts(
        common=float(stats.t.ppf(QUANTILE, windows)) * max(map(common_error, pools)),
        cells=Z_90 * max(map(cell_error, pools)),
        holdouts=sum(map(len, pools)),
        windows=windows,
    )


def windows_apart(holdouts: Sequence[Holdout]) -> int:
    """Return how many of the windows follow each other without an overlap."""
    number, end = 0, None
    for holdout in sorted(holdouts, key=lambda holdout: holdout.begin):
        if end is None or holdout.begin >= end:
            number, end = number + 1, holdout.begin + pd.Timedelta(days=holdout.horizon)
    return number


def common_error(holdouts: Sequence[Holdout]) -> float:
    """Return the root mean square of the misses of all customers."""
    return float(np.sqrt(np.mean([holdout.miss**2 for holdout in holdouts])))


def cell_error(holdouts: Sequence[Holdout]) -> float:
    """Return the relative error of cells beyond chance and the common miss, by the method of moments.

    Of a cell with share s the squared deviation from the common miss is on average V (1 - s) + (i E (1 -
    s))^2. Cells weigh by 1 / E, between the large ones, which decide sums of squares, and the small ones,
    which decide sums of squared ratios.
    """
    beyond, size = 0.0, 0.0
    for holdout in holdouts:
        cells = holdout.judged
        share, apart = holdout.share[cells], 1 - holdout.share[cells]
        deviation = (holdout.came - holdout.expected * (1 + holdout.miss))[cells] / holdout.total
        chance = holdout.variance[cells] / holdout.total / holdout.total * apart
        beyond += float(np.sum((deviation**2 - chance) / share))
        size += float(np.sum(share * apart**2))
    return float(np.sqrt(max(beyond, 0.0) / size)) if size > 0 else 0.0
