"""How much a segment tells of what customers do next: effect sizes with 95 % intervals, from sums of powers.

Nothing here sees a customer: a group is its size and the sums of the first powers of an outcome, so a million
customers cost as much as ten.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.special import chndtrinc

from customer_segmentation.validity.thresholds import Z_95


class Effect(NamedTuple):
    """An effect size with its 95 % interval."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Sums:
    """An outcome in k groups: sizes (k,) and sums (k, p) of its first p powers."""

    sizes: np.ndarray
    powers: np.ndarray

    @property
    def means(self) -> np.ndarray:
        """The mean of each group, of shape (k,)."""
        return self.powers[:, 0] / self.sizes

    @property
    def variances(self) -> np.ndarray:
        """The variance of each group, of shape (k,), with n in the denominator."""
        return np.maximum(self.powers[:, 1] / self.sizes - self.means**2, 0)

    def of(self, groups: np.ndarray) -> "Sums":
        """Return the groups of an index or mask (k,) as groups of their own."""
        return Sums(self.sizes[groups], self.powers[groups])

    def together(self, groups: np.ndarray) -> "Sums":
        """Return the groups of a mask (k,) as one group."""
        return Sums(self.sizes[groups].sum(keepdims=True), self.powers[groups].sum(axis=0, keepdims=True))


def of_yes_or_no(sizes: np.ndarray, yes: np.ndarray) -> Sums:
    """Return the sums of an outcome that is 0 or 1 from sizes (k,) and counts of ones (k,)."""
    return Sums(np.asarray(sizes, float), np.repeat(np.asarray(yes, float)[:, None], 4, axis=1))


def _between(sums: Sums) -> tuple[float, float] | None:
    """Return the share of the variance between groups and its standard error; None without any variance.

    The standard error is the infinitesimal jackknife (Efron 1982, ch. 6): with W and T the variance within
    the groups and in all, an outcome y in group g moves eta squared by ((1 - eta2) (y - m)^2 - (y - m_g)^2)
    / T. It asks neither for normal outcomes nor for equal variances.
    """
    sizes, total = sums.sizes, sums.sizes.sum()
    means = sums.means
    raw = sums.powers / sizes[:, None]
    second = sums.variances
    third = raw[:, 2] - 3 * means * raw[:, 1] + 2 * means**3
    fourth = np.maximum(
        raw[:, 3] - 4 * means * raw[:, 2] + 6 * means**2 * raw[:, 1] - 3 * means**4, second**2
    )
    shift = means - np.dot(sizes, means) / total
    within = np.dot(sizes, second) / total
    variance = within + np.dot(sizes, shift**2) / total
    if variance <= 1e-12:
        return None
    eta2 = 1 - within / variance
    far4 = fourth + 4 * shift * third + 6 * shift**2 * second + shift**4
    near2_far2 = fourth + 2 * shift * third + shift**2 * second
    squared = (1 - eta2) ** 2 * far4 - 2 * (1 - eta2) * near2_far2 + fourth
    return eta2, float(np.sqrt(max(np.dot(sizes, squared) / total, 0) / total) / variance)


def eta_squared(sums: Sums) -> Effect | None:
    """Return the share of an outcome's variance that the groups explain, less what chance explains.

    Eta squared is Pearson's correlation ratio; chance takes (k - 1) / (n - 1) of it, which Kelley (1935)
    takes off: 1 - (1 - eta2) (n - 1) / (n - k), also known as epsilon squared. Neither value nor interval
    is below 0. Needs four powers; None for fewer than two groups or an outcome that is the same for all.
    """
    groups, customers = len(sums.sizes), sums.sizes.sum()
    between = _between(sums) if groups > 1 and customers > groups else None
    if between is None:
        return None
    eta2, error = between
    corrected = 1 - (1 - eta2) * (customers - 1) / (customers - groups)
    upper = max(corrected + Z_95 * error, _most(eta2, groups, customers))
    return Effect(*np.clip([corrected, corrected - Z_95 * error, upper], 0, 1).tolist())


def _most(eta2: float, groups: int, customers: float) -> float:
    """Return the largest share of the variance that groups may explain if this much was seen.

    Near 0 the standard error vanishes, however few the customers: there the jackknife knows nothing. So the
    upper end is at least that of the F test (Steiger 2004, Psychological Methods 9(2), 164-182) in its limit
    for many customers: eta2 / (1 - eta2) (n - k) is chi-square with k - 1 degrees of freedom and
    noncentrality n f2, and f2 / (1 + f2) is the share. Less than chance explains on average counts as that.
    """
    if eta2 > 0.2:  # far from 0 the standard error is enough
        return 0.0
    seen = max(eta2 / (1 - eta2) * (customers - groups), groups - 1)
    noncentrality = chndtrinc(seen, groups - 1, stats.norm.sf(Z_95))
    return float(noncentrality / (noncentrality + customers))


def cramers_v(sizes: np.ndarray, yes: np.ndarray) -> Effect | None:
    """Return Cramér's V of groups (k,) and a yes or no of which `yes` (k,) said yes, corrected for bias.

    Bergsma (2013, Journal of the Korean Statistical Society 42(3), eqs. 5 to 8): phi2 less (k - 1) (r - 1)
    / (n - 1), over min(k~, r~) - 1 with k~ = k - (k - 1)^2 / (n - 1), here r = 2. Of an outcome with two
    values phi2 is eta squared, so its standard error is the same. None where it is not defined.
    """
    sums = of_yes_or_no(sizes, yes)
    groups, customers = len(sums.sizes), sums.sizes.sum()
    between = _between(sums) if groups > 1 and customers > 2 else None
    if between is None:
        return None
    phi2, error = between
    corrected = phi2 - (groups - 1) / (customers - 1)
    smaller = min(groups - (groups - 1) ** 2 / (customers - 1), 2 - 1 / (customers - 1)) - 1
    if smaller <= 0:
        return None
    upper = max(corrected + Z_95 * error, _most(phi2, groups, customers))
    ends = np.array([corrected, corrected - Z_95 * error, upper])
    return Effect(*np.sqrt(np.clip(ends / smaller, 0, 1)).tolist())


def welch(one: Sums, other: Sums, confidence: float = 0.95) -> Effect | None:
    """Return the difference of the means of two groups (each Sums of one group) with Welch's interval.

    Welch (1947): variances may differ, degrees of freedom by Satterthwaite. Needs two powers; None if a
    group has fewer than two customers or nobody differs from anybody.
    """
    sizes = np.array([one.sizes[0], other.sizes[0]])
    if min(sizes) < 2:
        return None
    squared = np.array([one.variances[0], other.variances[0]]) / (sizes - 1)
    error = squared.sum()
    if error <= 0:
        return None
    freedom = error**2 / np.sum(squared**2 / (sizes - 1))
    difference = one.means[0] - other.means[0]
    margin = stats.t.ppf((1 + confidence) / 2, freedom) * np.sqrt(error)
    return Effect(float(difference), float(difference - margin), float(difference + margin))


def cohens_d(one: Sums, other: Sums) -> float:
    """Return the difference of means in pooled standard deviations (Cohen 1988, ch. 2); 0 without spread."""
    spread = pooled_deviation(one, other)
    return float((one.means[0] - other.means[0]) / spread) if spread > 0 else 0.0


def pooled_deviation(one: Sums, other: Sums) -> float:
    """Return the standard deviation within two groups (each Sums of one group), taken together."""
    squared = np.dot(one.sizes, one.variances) + np.dot(other.sizes, other.variances)
    return float(np.sqrt(squared / (one.sizes[0] + other.sizes[0] - 2)))


def cohens_h(share: float, other: float) -> float:
    """Return the difference of two shares as angles, 2 asin(sqrt(p)) (Cohen 1988, ch. 6)."""
    return float(2 * np.arcsin(np.sqrt(share)) - 2 * np.arcsin(np.sqrt(other)))
