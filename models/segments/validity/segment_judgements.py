"""Judges segmentations by the criteria of a good one: customer_segmentation/validity."""

from customer_segmentation.validity.judge import judge
from customer_segmentation.validity.segmentations import TYPES


def model(dbt, session):
    """Return one row per segmentation, segment and criterion."""
    return judge(
        dbt.ref("judged_segments").df(),
        dbt.ref("segment_counts").df(),
        dbt.ref("segment_inputs").df(),
        dbt.ref("segment_moments").df(),
        dbt.ref("segment_overlaps").df(),
        dbt.ref("segment_transitions").df(),
    ).astype(TYPES)
