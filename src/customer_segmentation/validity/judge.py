"""All criteria of all segmentations."""

import pandas as pd

from customer_segmentation.validity.next_period import differentiable, distinct
from customer_segmentation.validity.ordering import in_order
from customer_segmentation.validity.redundancy import redundant
from customer_segmentation.validity.segmentations import ALL, TYPES, Row, Segmentation, row
from customer_segmentation.validity.stability import stable
from customer_segmentation.validity.today import (
    actionable,
    few_enough,
    measurable,
    reachable,
    selective,
    substantial,
)

CRITERIA = (
    measurable,
    substantial,
    few_enough,
    reachable,
    selective,
    actionable,
    differentiable,
    distinct,
    stable,
    redundant,
)


def judge(
    segments: pd.DataFrame,
    counts: pd.DataFrame,
    inputs: pd.DataFrame,
    moments: pd.DataFrame,
    overlaps: pd.DataFrame,
    transitions: pd.DataFrame,
) -> pd.DataFrame:
    """Return a row per segmentation, segment (or (all)) and criterion, in the columns of TYPES.

    The frames are the models segment_definitions, segment_counts, segment_inputs, segment_moments,
    segment_overlaps and segment_transitions. What can't be judged is there with the verdict "not known" and
    a note that says why.
    """
    rows: list[Row] = []
    segments, counts, inputs, moments, overlaps, transitions = (
        in_order(frame)
        for frame in (segments, counts, inputs, moments, _both_ways(overlaps, segments), transitions)
    )
    for name, own in segments.groupby("segmentation", sort=True):
        in_use = own[own["left_out_because"].isna()].sort_values("position")
        if in_use.empty:
            note = f"can't be told without {own['left_out_because'].iloc[0]}"
            rows.append({"segmentation": name} | row("measurable", ALL, note=note))
            continue
        one = Segmentation(
            str(name),
            in_use,
            counts[counts["segmentation"] == name],
            inputs[inputs["segmentation"] == name],
            moments[(moments["segmentation"] == name) & (moments["outcome_window"] == 1)].sort_values(
                "label"
            ),
            overlaps[overlaps["segmentation"] == name],
            transitions[transitions["segmentation"].isin([name, ALL])],
        )
        today, later = one.counts["as_of_date"].max(), one.moments["as_of_date"].max()
        for criterion in CRITERIA:
            date = later if criterion in (differentiable, distinct) else today
            rows.extend({"segmentation": name, "as_of_date": date} | found for found in criterion(one))
    frame = pd.DataFrame(rows, columns=list(TYPES), dtype=object)
    return frame.where(frame.notna(), None)


def _both_ways(overlaps: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs seen from both sides, with whether the other side's segments overlap."""
    turned = {"segmentation": "other_segmentation", "label": "other_label"}
    turned |= {other: name for name, other in turned.items()}
    both = pd.concat([overlaps, overlaps.rename(columns=turned)[overlaps.columns]], ignore_index=True)
    overlapping = segments.loc[segments["assignment"] == "all_matches", "segmentation"].unique()
    return both.assign(is_overlapping=both["other_segmentation"].isin(overlapping))
