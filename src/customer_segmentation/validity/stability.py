"""Whether customers stay where they are from month to month, more than chance would have it."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from customer_segmentation.validity.agreement import kappa
from customer_segmentation.validity.effects import Effect
from customer_segmentation.validity.segmentations import ALL, Segmentation, row
from customer_segmentation.validity.thresholds import FEWEST_MONTHS, KAPPA


def stable(one: Segmentation) -> Iterator[dict]:
    """Judge a segmentation by kappa between month ends, and each segment by kappa of being in it or not.

    The value is the mean over months; its interval is that of a mean of months, since customers come again
    from month to month but months differ.
    """
    own = one.transitions[one.transitions["segmentation"] == one.name]
    months = [moves for _, moves in own.groupby("as_of_date", sort=True)]
    date = months[-1]["as_of_date"].iloc[0] if months else one.counts["as_of_date"].max()
    if not one.is_overlapping:
        tables = [_from_to(moves) for moves in months]
        stayed = sum(np.trace(table) for table in tables)
        chance = [kappa(table)[1] for table in tables if table.sum()]
        before = sum(table.sum() for table in tables)
        yield _judged(ALL, date, tables, stayed / before if before else 0, np.mean(chance) if chance else 0)
    for segment in one.names:
        tables = [_in_or_out(moves, segment, _present(one, moves)) for moves in months]
        pooled = sum(tables, np.zeros((2, 2)))
        before = max(pooled[0].sum(), 1)
        chance = pooled[:, 0].sum() / max(pooled.sum(), 1)
        yield _judged(segment, date, tables, pooled[0, 0] / before, chance)


def _judged(segment: str, date: object, tables: list[np.ndarray], stayed: float, chance: float) -> dict:
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
        note=f"{stayed:.0%} stay from month to month, {chance:.0%} would by chance; {len(kappas)} months",
        **shared,
    )


def _present(one: Segmentation, moves: pd.DataFrame) -> float:
    """Return who was there at both dates: all customers, or those who were in a segment twice."""
    if one.is_overlapping:
        same_date = one.transitions["as_of_date"] == moves["as_of_date"].iloc[0]
        moves = one.transitions[same_date & (one.transitions["segmentation"] == ALL)]
    return float(moves.dropna(subset=["from_segment", "to_segment"])["customers"].sum())


def _from_to(moves: pd.DataFrame) -> np.ndarray:
    """Return the counts (k, k) of who moved from where to where, of those who were somewhere twice."""
    known = moves.dropna(subset=["from_segment", "to_segment"])
    names = sorted(set(known["from_segment"]) | set(known["to_segment"]))
    place = {name: number for number, name in enumerate(names)}
    table = np.zeros((len(names), len(names)))
    np.add.at(table, (known["from_segment"].map(place), known["to_segment"].map(place)), known["customers"])
    return table


def _in_or_out(moves: pd.DataFrame, segment: str, present: float) -> np.ndarray:
    """Return the counts [[stayed, left], [came, never in]] of a segment among those who were there twice."""
    before, now = moves["from_segment"] == segment, moves["to_segment"] == segment
    stayed, left, came = (
        float(moves.loc[mask, "customers"].sum()) for mask in (before & now, before & ~now, now & ~before)
    )
    return np.array([[stayed, left], [came, max(present - stayed - left - came, 0)]])
