"""Whether segments differ in what their customers did in the 90 days after the date of the membership."""

from collections.abc import Iterator
from itertools import combinations

from customer_segmentation.validity.effects import Sums, cramers_v, eta_squared
from customer_segmentation.validity.outcomes import (
    OUTCOMES,
    Side,
    differs,
    is_enough,
    members,
    sized_effect,
)
from customer_segmentation.validity.segmentations import ALL, Segmentation, listed, row
from customer_segmentation.validity.thresholds import (
    CRAMERS_V,
    DIFFERENCE,
    DISTINCT_PAIRS,
    ETA_SQUARED,
    FAIL,
    FEWEST_BUYERS,
    FEWEST_IN_ALL,
    PASS,
    WEAK,
)

NO_DIFFERENT = "two segments no different"
NO_WINDOW = "no as-of date lies 90 days before the end of the data"


def differentiable(one: Segmentation) -> Iterator[dict]:
    """Judge how much of what came the segments explain, or how far each audience is from all others."""
    yield from _audiences(one) if one.is_overlapping else _explained(one)


def _explained(one: Segmentation) -> Iterator[dict]:
    sizes = one.moments["customers"].to_numpy(float)
    customers, buyers = int(sizes.sum()), int(one.moments["retained"].sum())
    few = customers < FEWEST_IN_ALL or buyers < FEWEST_BUYERS
    for outcome in OUTCOMES:
        is_share = outcome == "retention"
        limits = CRAMERS_V if is_share else ETA_SQUARED
        measure = "Cramér's V" if is_share else "eta squared"
        shared = {"customers": customers, "threshold": limits.good, "measure": measure}
        if few:
            note = f"{customers} customers, {buyers} of whom ordered: too few" if customers else NO_WINDOW
            yield row(f"differentiable_{outcome}", ALL, note=note, **shared)
            continue
        if is_share:
            effect = cramers_v(sizes, one.moments["retained"].to_numpy(float))
        else:
            powers = one.moments[[f"capped_{outcome}_{power}" for power in (1, 2, 3, 4)]]
            effect = eta_squared(Sums(sizes, powers.to_numpy(float)))
        if effect is None:
            note = "all are in one segment, or all did the same"
            yield row(f"differentiable_{outcome}", ALL, note=note, **shared)
            continue
        verdict = limits.verdict(effect.value)
        if verdict == PASS and effect.lower < limits.poor:
            verdict = WEAK
        yield row(f"differentiable_{outcome}", ALL, effect.value, verdict, effect, **shared)


def _audiences(one: Segmentation) -> Iterator[dict]:
    for segment in one.names:
        within = members(one.moments, segment)
        own, others = Side(one.moments[within]), Side(one.moments[~within])
        for outcome in OUTCOMES:
            measure = "Cohen's h" if outcome == "retention" else "Cohen's d"
            shared = {
                "customers": own.customers,
                "threshold": DIFFERENCE.good,
                "measure": f"{measure} against all others, either way",
            }
            effect = sized_effect(outcome, own, others) if is_enough(own, others) else None
            if effect is None:
                note = (
                    f"{own.customers} customers and {others.customers} others: too few, or all did the same"
                )
                note = NO_WINDOW if one.moments.empty else note
                yield row(f"differentiable_{outcome}", segment, note=note, **shared)
                continue
            may_be_chance = effect.lower <= 0 <= effect.upper
            verdict = FAIL if may_be_chance else DIFFERENCE.verdict(abs(effect.value))
            yield row(f"differentiable_{outcome}", segment, effect.value, verdict, effect, **shared)


def distinct(one: Segmentation) -> Iterator[dict]:
    """Judge whether each segment differs from each other one, and name those that don't.

    Of learned segments those that there were at the date.
    """
    if one.is_overlapping:
        return
    is_learned = one.segments["assignment"].iloc[0] == "learned"
    names = one.moments["label"].tolist() if is_learned and len(one.moments) else one.names
    sides = {name: Side(one.moments[one.moments["label"] == name]) for name in names}
    judged = [pair for pair in combinations(names, 2) if is_enough(*(sides[name] for name in pair))]
    alike = [pair for pair in judged if not differs(*(sides[name] for name in pair))]
    for segment in names:
        own = sum(segment in pair for pair in judged)
        same = [name for pair in alike if segment in pair for name in pair if name != segment]
        yield _distinct(segment, own, same, sides[segment].customers, one.moments.empty)
    pairs = [f"{first} and {second}" for first, second in alike]
    customers = int(one.moments["customers"].sum())
    yield _distinct(ALL, len(judged), pairs, customers, one.moments.empty) | (
        {"measure": "share of pairs of segments that differ", "mistake": NO_DIFFERENT if alike else None}
    )


def _distinct(segment: str, judged: int, same: list[str], customers: int, is_unknown: bool) -> dict:
    shared = {
        "customers": customers,
        "threshold": DISTINCT_PAIRS.good,
        "measure": "share of other segments from which it differs",
    }
    if not judged:
        note = NO_WINDOW if is_unknown else f"{customers} customers: too few to compare"
        return row("distinct", segment, note=note, **shared)
    share = 1 - len(same) / judged
    note = f"no different{'' if segment == ALL else ' from'}: {listed(same)}" if same else None
    return row("distinct", segment, share, DISTINCT_PAIRS.verdict(share), note=note, **shared)
