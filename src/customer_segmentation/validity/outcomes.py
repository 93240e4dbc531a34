"""What customers of each segment did in an outcome window, as sums that effects are made from."""

import numpy as np
import pandas as pd
from scipy import stats

from customer_segmentation.validity.effects import (
    Effect,
    Sums,
    cohens_d,
    cohens_h,
    of_yes_or_no,
    pooled_deviation,
    welch,
)
from customer_segmentation.validity.thresholds import DIFFERENCE, FEWEST_BUYERS, FEWEST_CUSTOMERS, NOT_KNOWN

OUTCOMES = ("orders", "revenue", "retention")
DIFFERENT, ALIKE = "different", "alike"
# one of three outcomes may differ by chance: each is asked at a third of the level (Bonferroni)
EACH_OF_THREE = 1 - 0.05 / 3


def split(label: str) -> list[str]:
    """Return the segments of a label: one, or for overlapping segments those between the bars."""
    return [segment for segment in label.split("|") if segment]


def members(frame: pd.DataFrame, segment: str) -> pd.Series:
    """Return which rows of a frame with `label` hold customers of the segment, of shape (n,)."""
    return frame["label"].map(lambda label: segment in split(label)).astype(bool)


class Side:
    """Customers who are compared with others: some rows of segment_moments of one date and segmentation."""

    def __init__(self, rows: pd.DataFrame):
        """Keep the sums of the rows; there may be none."""
        self.total = rows.drop(columns=["as_of_date", "label", "segmentation"], errors="ignore").sum()
        self.customers = int(self.total["customers"])
        self.buyers = int(self.total["retained"])

    def capped(self, outcome: str) -> Sums:
        """Return an outcome as one group; orders and revenue of very large customers cut to the cap."""
        size = pd.Series([self.customers]).to_numpy(float)
        if outcome == "retention":
            return of_yes_or_no(size, pd.Series([self.buyers]).to_numpy(float))
        powers = self.total[[f"capped_{outcome}_{power}" for power in (1, 2, 3, 4)]].to_numpy(float)
        return Sums(size, powers[None, :])

    def plain(self, outcome: str) -> Sums:
        """Return an outcome as one group, as it was, in orders, money or customers."""
        if outcome == "retention":
            return self.capped(outcome)
        powers = self.total[[outcome, f"{outcome}_squared"]].to_numpy(float)
        return Sums(pd.Series([self.customers]).to_numpy(float), powers[None, :])


def is_enough(one: Side, other: Side) -> bool:
    """Whether both sides are large enough for intervals by the normal law."""
    return (
        min(one.customers, other.customers) >= FEWEST_CUSTOMERS and one.buyers + other.buyers >= FEWEST_BUYERS
    )


def size_of(outcome: str, one: Side, other: Side) -> float:
    """Return how large the difference is: Cohen's h for retention, otherwise d of the capped outcome."""
    if outcome == "retention":
        return cohens_h(one.buyers / one.customers, other.buyers / other.customers)
    return cohens_d(one.capped(outcome), other.capped(outcome))


def sized_effect(outcome: str, one: Side, other: Side, confidence: float = 0.95) -> Effect | None:
    """Return size_of with an interval on the same scale; None if all did the same.

    The angle of a share has the variance 1 / (n + 1 / 2) whatever the share, if 3 / 8 are added to those who
    ordered and 3 / 4 to all (Anscombe 1948, Biometrika 35, 246-254). Of orders and revenue it is the Welch
    interval in pooled standard deviations, and at least as wide as with one variance for both: a few dozen of
    whom nobody ordered show no variance of their own, which is no knowledge.
    """
    size, sizes = size_of(outcome, one, other), np.array([one.customers, other.customers])
    normal = stats.norm.ppf((1 + confidence) / 2)
    if outcome == "retention":
        shares = (np.array([one.buyers, other.buyers]) + 3 / 8) / (sizes + 3 / 4)
        middle, margin = cohens_h(*shares), normal * np.sqrt(np.sum(1 / (sizes + 1 / 2)))
        return Effect(size, float(middle - margin), float(middle + margin))
    sides = one.capped(outcome), other.capped(outcome)
    interval = welch(*sides, confidence)
    if interval is None:
        return None
    margin = (interval.upper - interval.value) / pooled_deviation(*sides)
    margin = max(margin, normal * np.sqrt(np.sum(1 / sizes)))
    return Effect(size, float(size - margin), float(size + margin))


def may_be_chance(effect: Effect) -> bool:
    """Whether there may be no effect at all, or one in the other direction."""
    return effect.lower <= 0 <= effect.upper


def is_negligible(effect: Effect) -> bool:
    """Whether any effect is too small to matter: two one-sided tests (Schuirmann 1987) at 2.5 % each."""
    return max(-effect.lower, effect.upper) < DIFFERENCE.poor


def compare(one: Side, other: Side) -> str:
    """Return DIFFERENT, ALIKE or NOT_KNOWN.

    Different is what differs in any outcome by what is no chance and not too small to matter; alike is what
    can't differ in any by as much as that. In between there are too few customers to tell.
    """
    for outcome in OUTCOMES:
        effect = sized_effect(outcome, one, other, EACH_OF_THREE)
        if effect is not None and not may_be_chance(effect) and abs(effect.value) >= DIFFERENCE.poor:
            return DIFFERENT
    effects = [sized_effect(outcome, one, other) for outcome in OUTCOMES]
    is_alike = all(effect is not None and is_negligible(effect) for effect in effects)
    return ALIKE if is_alike else NOT_KNOWN
