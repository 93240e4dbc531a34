"""What a segmentation is today: measurable, substantial, reachable, actionable, selective."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from customer_segmentation.validity.outcomes import split
from customer_segmentation.validity.segmentations import ALL, TREATMENT, Row, Segmentation, row
from customer_segmentation.validity.thresholds import (
    FAIL,
    KNOWN,
    NOT_KNOWN,
    ONE_TREATMENT,
    PASS,
    REACHED,
    SEGMENTS,
    WEAK,
)

TOO_SMALL = "segment too small"
TOO_MANY = "too many segments"
EVERYONE = "everyone targeted"
NOBODY = "nobody is in it"


def measurable(one: Segmentation) -> Iterator[Row]:
    """Judge whether known values decide who is where."""
    known = one.counts[one.counts["known"].notna()]
    customers = int(known["customers"].sum())
    shared = {
        "measure": "share of customers whose place follows from known values",
        "threshold": KNOWN.good,
        "customers": customers,
    }
    if not customers:
        yield row("measurable", ALL, note="nobody to look at", **shared)
    elif not one.is_overlapping:
        share = known.loc[known["known"] == "yes", "customers"].sum() / customers
        verdict = KNOWN.verdict(share)
        yield row("measurable", ALL, share, verdict, note=_least_known(one, verdict), **shared)
    else:
        for segment in one.names:
            unknown = known["known"].map(lambda names, segment=segment: segment in split(names))
            share = 1 - known.loc[unknown, "customers"].sum() / customers
            # an empty value may mean never: nobody is abandoned by having no cart
            verdict = PASS if share >= KNOWN.good else WEAK
            note = None if verdict == PASS else "the others count as not in it: right where empty means never"
            yield row("measurable", segment, share, verdict, note=note, **shared)


def _least_known(one: Segmentation, verdict: str) -> str | None:
    incomplete = one.inputs[one.inputs["known"] < one.inputs["customers"]]
    if verdict == PASS or incomplete.empty:
        return None
    shares = (incomplete["known"] / incomplete["customers"]).set_axis(incomplete["input_column"])
    least = shares.sort_index().sort_values(kind="stable").head(3)
    return "known least: " + ", ".join(f"{column} ({100 * share:.0f} %)" for column, share in least.items())


def substantial(one: Segmentation) -> Iterator[Row]:
    """Judge whether segments hold enough customers, and enough revenue."""
    everybody, all_revenue = one.customers, float(one.placed["revenue_12m"].sum())
    for segment in one.segments.to_dict("records"):
        name, least = segment["segment"], segment["least_share"]
        own = one.of(name)
        customers = int(own["customers"].sum())
        share = customers / everybody if everybody else None
        revenue = float(own["revenue_12m"].sum()) / all_revenue if all_revenue > 0 else None
        shared = {"customers": customers, "threshold": least}
        yield row("substantial_customers", name, share, measure="share of customers", **shared) | _size(
            share, revenue, least, segment["max_share"]
        )
        verdict, note = PASS, None
        if revenue is None:
            verdict, note = NOT_KNOWN, "no revenue in twelve months"
        elif revenue < least:
            verdict, note = WEAK, "brings next to nothing now"
        measure = "share of the revenue of twelve months"
        yield row("substantial_revenue", name, revenue, verdict, measure=measure, note=note, **shared)


def _size(share: float | None, revenue: float | None, least: float, most: float) -> Row:
    if share is None:
        return {"note": "nobody to look at"}
    if pd.notna(most) and share > most:
        return {"verdict": FAIL, "note": f"more than its max_share of {100 * most:.0f} %"}
    if share >= least:
        return {"verdict": PASS}
    if revenue is not None and revenue >= least:
        return {"verdict": WEAK, "note": f"few, but {100 * revenue:.1f} % of the revenue"}
    return {"verdict": FAIL, "mistake": TOO_SMALL, "note": None if share else NOBODY}


def few_enough(one: Segmentation) -> Iterator[Row]:
    """Judge whether people can keep the segments in mind; audiences are looked at one by one."""
    if one.is_overlapping:
        return
    sizes = one.placed.groupby("label")["customers"].sum().to_numpy(float)
    note = None
    if sizes.sum():
        note = f"as evenly filled as {np.exp(stats.entropy(sizes)):.1f} equal segments"
    verdict = SEGMENTS.verdict(len(one.names))
    yield row(
        "few_enough",
        ALL,
        len(one.names),
        verdict,
        measure="segments",
        customers=one.customers,
        threshold=SEGMENTS.good,
        mistake=TOO_MANY if verdict == FAIL else None,
        note=note,
    )


def reachable(one: Segmentation) -> Iterator[Row]:
    """Judge whether customers may be contacted on the treatment's channel, or on any."""
    are_known = one.placed["is_reachable"].notna().any()
    for segment in one.segments.to_dict("records"):
        name, channel = segment["segment"], segment["treatment_channel"]
        own = one.of(name)
        customers = int(own["customers"].sum())
        has_consents = isinstance(channel, str) and f"can_{channel}" in own
        measure = "share that may be contacted" + (f" by {channel}" if has_consents else "")
        shared = {"customers": customers, "threshold": REACHED.good, "measure": measure}
        if not customers or not are_known:
            note: str | None = "consents are no input" if customers else NOBODY
            yield row("reachable", name, note=note, **shared)
            continue
        share = float(own[f"can_{channel}" if has_consents else "is_reachable"].sum()) / customers
        verdict, note = REACHED.verdict(share), None
        if channel == "none":
            verdict, note = PASS, "no contact is meant"
        elif isinstance(channel, str) and not has_consents:
            verdict, note = NOT_KNOWN, f"consents don't tell of {channel}: the share is of any channel"
        yield row("reachable", name, share, verdict, note=note, **shared)


def actionable(one: Segmentation) -> Iterator[Row]:
    """Judge whether somebody answers for each segment, and does something of its own for it."""
    needed = ["owner", *TREATMENT]
    for segment in one.segments.to_dict("records"):
        missing = [key.replace("treatment_", "") for key in needed if not isinstance(segment[key], str)]
        yield row(
            "actionable",
            segment["segment"],
            1 - len(missing) / len(needed),
            PASS if not missing else WEAK if missing == ["offer"] else FAIL,
            measure="share of owner, objective, channel and offer that is given",
            customers=one.customers_of(segment["segment"]),
            threshold=1.0,
            note=f"no {', no '.join(missing)}" if missing else None,
        )
    treatments = _by_treatment(one)
    shared = {
        "measure": "share of treatments that differ",
        "customers": one.customers,
        "threshold": 1.0,
    }
    if not treatments:
        yield row("actionable", ALL, note="no segment has a treatment", **shared)
        return
    share = len(treatments) / sum(map(len, treatments))
    alike = [" and ".join(names) for names in treatments if len(names) > 1]
    verdict = PASS if not alike else FAIL if len(treatments) == 1 else WEAK
    note = f"treated alike: {'; '.join(alike)}" if alike else None
    yield row("actionable", ALL, share, verdict, note=note, **shared)


def _by_treatment(one: Segmentation) -> list[list[str]]:
    """Return the segments that have a treatment, those with the same one together."""
    treated = one.segments[one.segments["treatment_objective"].notna()]
    groups = treated.groupby(TREATMENT, dropna=False, sort=False)
    return [own["segment"].tolist() for _, own in groups]


def selective(one: Segmentation) -> Iterator[Row]:
    """Judge whether nearly everyone is treated alike, or is in some audience."""
    treatments = _by_treatment(one)
    if not one.customers or not treatments:
        return
    groups = [[name] for name in one.names] if one.is_overlapping else treatments
    sizes = {" and ".join(names): sum(map(one.customers_of, names)) / one.customers for names in groups}
    largest = max(sizes, key=lambda names: sizes[names])
    if one.is_overlapping:
        share = one.placed.loc[one.placed["label"] != "", "customers"].sum() / one.customers
        measure = "share of customers who are in an audience"
        note = f"the largest is {largest} ({100 * sizes[largest]:.0f} %)"
    else:
        share, measure = sizes[largest], "largest share of customers with one treatment"
        note = f"that of {largest}"
    verdict = ONE_TREATMENT.verdict(share)
    yield row(
        "selective",
        ALL,
        share,
        verdict,
        measure=measure,
        customers=one.customers,
        threshold=ONE_TREATMENT.good,
        mistake=EVERYONE if verdict == FAIL else None,
        note=note,
    )
