"""Whether segments differ in what their customers did in the 90 days after the date of the membership."""

from collections.abc import Iterator
from itertools import combinations

from customer_segmentation.validity.effects import Effect, Sums, cramers_v, eta_squared
from customer_segmentation.validity.outcomes import (
    ALIKE,
    DIFFERENT,
    OUTCOMES,
    Side,
    compare,
    is_enough,
    is_negligible,
    may_be_chance,
    members,
    sized_effect,
)
from customer_segmentation.validity.segmentations import ALL, Row, Segmentation, listed, row
from customer_segmentation.validity.thresholds import (
    CRAMERS_V,
    DIFFERENCE,
    DISTINCT_PAIRS,
    ETA_SQUARED,
    FAIL,
    FEWEST_BUYERS,
    FEWEST_IN_ALL,
    NOT_KNOWN,
    PASS,
    WEAK,
    Limits,
)

NO_DIFFERENT = "two segments no different"
NO_WINDOW = "no as-of date lies 90 days before the end of the data"


def differentiable(one: Segmentation) -> Iterator[Row]:
    """Judge how much of what came the segments explain, or how far each audience is from all others."""
    yield from _audiences(one) if one.is_overlapping else _explained(one)


def _explained(one: Segmentation) -> Iterator[Row]:
    sizes = one.moments["customers"].to_numpy(float)
    customers, buyers = int(sizes.sum()), int(one.moments["retained"].sum())
    few = customers < FEWEST_IN_ALL or buyers < FEWEST_BUYERS
    note: str | None
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
        verdict = _explains(effect, limits)
        note = f"{customers} customers are too few to tell" if verdict == NOT_KNOWN else None
        yield row(f"differentiable_{outcome}", ALL, effect.value, verdict, effect, note=note, **shared)


def _explains(effect: Effect, limits: Limits) -> str:
    """Return the verdict on an effect that is never below 0: fail only if it can't be as large as poor."""
    verdict = limits.verdict(effect.value)
    if verdict == PASS and effect.lower < limits.poor:
        return WEAK
    if verdict == FAIL and effect.upper >= limits.poor:
        return NOT_KNOWN if effect.upper >= limits.good else WEAK
    return verdict


def _audiences(one: Segmentation) -> Iterator[Row]:
    note: str | None
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
                sizes = f"{own.customers} customers and {others.customers} others"
                note = NO_WINDOW if one.moments.empty else f"{sizes}: too few, or all did the same"
                yield row(f"differentiable_{outcome}", segment, note=note, **shared)
                continue
            verdict = _is_apart(effect)
            note = None
            if verdict == NOT_KNOWN:
                note = f"{own.customers} customers and {others.customers} others are too few to tell"
            yield row(
                f"differentiable_{outcome}", segment, effect.value, verdict, effect, note=note, **shared
            )


def _is_apart(effect: Effect) -> str:
    """Return the verdict on an effect of either sign: fail only if it can't be as large as what matters."""
    if is_negligible(effect):
        return FAIL
    if may_be_chance(effect):
        return NOT_KNOWN
    return PASS if abs(effect.value) >= DIFFERENCE.good else WEAK


def distinct(one: Segmentation) -> Iterator[Row]:
    """Judge whether each segment differs from each other one, and name those that don't.

    Of learned segments those that there were at the date.
    """
    if one.is_overlapping:
        return
    is_learned = one.segments["assignment"].iloc[0] == "learned"
    names = one.moments["label"].tolist() if is_learned and len(one.moments) else one.names
    sides = {name: Side(one.moments[one.moments["label"] == name]) for name in names}
    sizes = {name: side.customers for name, side in sides.items()}
    found = {
        pair: compare(*(sides[name] for name in pair))
        for pair in combinations(names, 2)
        if is_enough(*(sides[name] for name in pair))
    }
    for segment in names:
        others = {
            other: result
            for pair, result in found.items()
            if segment in pair
            for other in pair
            if other != segment
        }
        alike, unknown = ([name for name in others if others[name] == kind] for kind in (ALIKE, NOT_KNOWN))
        unknown = [f"{name} ({sizes[name]})" for name in unknown]
        notes = (
            f"no different from: {listed(alike)}" if alike else None,
            f"too few customers to tell it ({sizes[segment]}) from: {listed(unknown)}" if unknown else None,
        )
        yield _distinct(segment, list(others.values()), notes, sizes[segment], one.moments.empty)
    alike, unknown = ([pair for pair in found if found[pair] == kind] for kind in (ALIKE, NOT_KNOWN))
    pairs = listed(f"{first} and {second}" for first, second in alike)
    notes = (
        f"no different: {pairs}" if alike else None,
        f"too few customers to tell {len(unknown)} of {len(found)} pairs apart" if unknown else None,
    )
    customers = int(one.moments["customers"].sum())
    yield _distinct(ALL, list(found.values()), notes, customers, one.moments.empty) | (
        {
            "measure": "share of pairs of segments that are shown to differ",
            "mistake": NO_DIFFERENT if alike else None,
        }
    )


def _distinct(
    segment: str, found: list[str], notes: tuple[str | None, ...], customers: int, is_unmeasured: bool
) -> Row:
    """Return the row of a segment compared with others: fail only if half are known to be alike."""
    shared = {
        "customers": customers,
        "threshold": DISTINCT_PAIRS.good,
        "measure": "share of other segments from which it is shown to differ",
    }
    if not found:
        reason = NO_WINDOW if is_unmeasured else f"{customers} customers: too few to compare"
        return row("distinct", segment, note=reason, **shared)
    share = found.count(DIFFERENT) / len(found)
    verdict = DISTINCT_PAIRS.verdict(share)
    if verdict == FAIL and DISTINCT_PAIRS.verdict(1 - found.count(ALIKE) / len(found)) != FAIL:
        verdict = NOT_KNOWN
    note = "; ".join(filter(None, notes)) or None
    return row("distinct", segment, share, verdict, note=note, **shared)
