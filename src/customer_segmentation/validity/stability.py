"""Whether customers stay where they are from month to month, more than chance would have it."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from customer_segmentation.validity.agreement import kappa
from customer_segmentation.validity.effects import Effect
from customer_segmentation.validity.segmentations import ALL, Row, Segmentation, row
from customer_segmentation.validity.thresholds import FEWEST_MONTHS, KAPPA


def stable(one: Segmentation) -> Iterator[Row]:
    """Judge a segmentation by kappa between month ends, and each segment by kappa of being in it or not.

    The value is the mean over months; its interval is that of a mean of months, since customers come again
    from month to month but months differ.
    """
    own = one.transitions[one.transitions["segmentation"] == one.name]
    months = [_Month(moves, one) for _, moves in own.groupby("as_of_date", sort=True)]
    date = months[-1].date if months else one.counts["as_of_date"].max()
    if not one.is_overlapping:
        tables = [month.table for month in months]
        before = sum(table.sum() for table in tables)
        stayed = sum(np.trace(table) for table in tables) / before if before else 0.0
        chance = [kappa(table)[1] for table in tables if table.sum()]
        yield _judged(ALL, date, tables, stayed, float(np.mean(chance)) if chance else 0.0)
    for segment in one.names:
        tables = [month.in_or_out(segment) for month in months]
        pooled = sum(tables, np.zeros((2, 2)))
        stayed = pooled[0, 0] / max(pooled[0].sum(), 1)
        yield _judged(segment, date, tables, stayed, pooled[:, 0].sum() / max(pooled.sum(), 1))


class _Month:
    """Who moved from where to where between two month ends."""

    def __init__(self, moves: pd.DataFrame, one: Segmentation):
        """Count the moves between segments, of shape (k, k), and those from and to the outside."""
        self.date = moves["as_of_date"].iloc[0]
        sources, targets = moves["from_segment"].fillna(""), moves["to_segment"].fillna("")
        names = sorted((set(sources) | set(targets)) - {""})
        self.place = {name: number for number, name in enumerate([*names, ""])}
        whole = np.zeros((len(self.place), len(self.place)))
        np.add.at(whole, (sources.map(self.place), targets.map(self.place)), moves["customers"])
        self.table = whole[:-1, :-1]
        # an overlapping segment is left for the outside, and all customers are there to come from
        self.counted = whole if one.is_overlapping else self.table
        self.present = self.table.sum()
        if one.is_overlapping:
            everybody = one.transitions[one.transitions["segmentation"] == ALL]
            same = everybody[everybody["as_of_date"] == self.date]
            self.present = same.dropna(subset=["from_segment", "to_segment"])["customers"].sum()

    def in_or_out(self, segment: str) -> np.ndarray:
        """Return the counts [[stayed, left], [came, never in]] of those who were there at both dates."""
        number = self.place.get(segment)
        if number is None:
            return np.array([[0, 0], [0, float(self.present)]])
        stayed = self.counted[number, number]
        left = self.counted[number].sum() - stayed
        came = self.counted[:, number].sum() - stayed
        return np.array([[stayed, left], [came, max(self.present - stayed - left - came, 0)]])


def _judged(segment: str, date: object, tables: list[np.ndarray], stayed: float, chance: float) -> Row:
    shared = {"measure": "kappa from month to month", "threshold": KAPPA.good, "as_of_date": date}
    kappas = [found for table in tables if table.sum() and (found := kappa(table)[2]) is not None]
    if len(kappas) < FEWEST_MONTHS:
        note = f"{len(kappas)} months to compare under today's definition; {FEWEST_MONTHS} are needed"
        return row("stable", segment, note=note, **shared)
    mean = float(np.mean(kappas))
    margin = stats.t.ppf(0.975, len(kappas) - 1) * np.std(kappas, ddof=1) / np.sqrt(len(kappas))
    return row(
        "stable",
        segment,
        mean,
        KAPPA.verdict(mean),
        Effect(mean, float(max(mean - margin, -1)), float(min(mean + margin, 1))),
        customers=int(tables[-1].sum() if segment == ALL else tables[-1][0].sum()),
        note=f"{100 * stayed:.0f} % stay from month to month, {100 * chance:.0f} % would by chance; "
        f"{len(kappas)} months",
        **shared,
    )
