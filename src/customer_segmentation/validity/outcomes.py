"""What customers of each segment did in an outcome window, as sums that effects are made from."""

import pandas as pd

from customer_segmentation.validity.effects import Effect, Sums, cohens_d, cohens_h, of_yes_or_no, welch
from customer_segmentation.validity.thresholds import DIFFERENCE, FEWEST_BUYERS, FEWEST_CUSTOMERS

OUTCOMES = ("orders", "revenue", "retention")
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


def sized_effect(outcome: str, one: Side, other: Side) -> Effect | None:
    """Return size_of with the Welch interval of the capped difference on the same scale."""
    interval = welch(one.capped(outcome), other.capped(outcome))
    if interval is None:
        return None
    size = size_of(outcome, one, other)
    scale = size / interval.value if interval.value else 0.0
    return Effect(size, interval.lower * scale, interval.upper * scale)


def differs(one: Side, other: Side) -> bool:
    """Whether two sides differ in any outcome by what is no chance and not too small to matter."""
    for outcome in OUTCOMES:
        interval = welch(one.capped(outcome), other.capped(outcome), EACH_OF_THREE)
        beyond_chance = interval is not None and not interval.lower <= 0 <= interval.upper
        if beyond_chance and abs(size_of(outcome, one, other)) >= DIFFERENCE.poor:
            return True
    return False
