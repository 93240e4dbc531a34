"""Whether a segmentation says what another one says."""

from collections.abc import Iterator

import pandas as pd

from customer_segmentation.validity.agreement import adjusted_mutual_information
from customer_segmentation.validity.outcomes import split
from customer_segmentation.validity.segmentations import ALL, Row, Segmentation, row
from customer_segmentation.validity.thresholds import FAIL, JACCARD, MUTUAL_INFORMATION, NOT_KNOWN

SAME_AGAIN = "says what another says"


def redundant(one: Segmentation) -> Iterator[Row]:
    """Judge a segmentation by what it shares with another, or an audience by its likest segment."""
    yield from _audiences(one) if one.is_overlapping else _segmentation(one)


def _segmentation(one: Segmentation) -> Iterator[Row]:
    found: dict[str, float] = {}
    for other, pairs in one.overlaps.groupby("other_segmentation", sort=True):
        if pairs["is_overlapping"].any():
            continue
        table = pairs.pivot_table(
            index="label", columns="other_label", values="customers", aggfunc="sum", fill_value=0
        )
        information = adjusted_mutual_information(table.to_numpy(float))
        if information is not None:
            found[str(other)] = information
    ordered = sorted(found, key=lambda other: (-found[other], other))
    value = found[ordered[0]] if ordered else None
    verdict = MUTUAL_INFORMATION.verdict(value)
    yield row(
        "redundant",
        ALL,
        value,
        verdict,
        measure="largest adjusted mutual information with another segmentation",
        customers=one.customers,
        threshold=MUTUAL_INFORMATION.good,
        mistake=SAME_AGAIN if verdict == FAIL else None,
        note=", ".join(f"{other} {found[other]:.2f}" for other in ordered) or "no other to compare with",
    )


def _audiences(one: Segmentation) -> Iterator[Row]:
    others = _other_segments(one)
    for segment in one.names:
        customers = one.customers_of(segment)
        similar = {
            name: shared[segment] / (customers + size - shared[segment])
            for name, (size, shared) in others.items()
            if segment in shared and name != f"{one.name}.{segment}"
        }
        likest = min(similar, key=lambda name: (-similar[name], name), default=None)
        value = similar[likest] if likest else None
        verdict = JACCARD.verdict(value) if customers else NOT_KNOWN
        note = f"with {likest}" if likest else "no other to compare with" if customers else "nobody is in it"
        yield row(
            "redundant",
            segment,
            value,
            verdict,
            measure="largest Jaccard similarity with another segment",
            customers=customers,
            threshold=JACCARD.good,
            mistake=SAME_AGAIN if verdict == FAIL else None,
            note=note,
        )


def _other_segments(one: Segmentation) -> dict[str, tuple[int, dict[str, int]]]:
    """Return {any segment: (its customers among those looked at, {own audience: customers in both})}."""
    own = one.placed[["label", "customers"]].assign(other_segmentation=one.name)
    own = own.assign(other_label=own["label"])
    found: dict[str, tuple[int, dict[str, int]]] = {}
    for pair in pd.concat([own, one.overlaps[own.columns]]).to_dict("records"):
        customers = int(pair["customers"])
        for other in split(pair["other_label"]):
            name = f"{pair['other_segmentation']}.{other}"
            size, shared = found.get(name, (0, {}))
            for segment in split(pair["label"]):
                shared[segment] = shared.get(segment, 0) + customers
            found[name] = (size + customers, shared)
    return found
