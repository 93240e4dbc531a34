"""Projects segments as a Markov chain: customer_segmentation/validity."""

from customer_segmentation.validity.outlook import TYPES, outlook


def model(dbt, session):
    """Return one row per segment of each segmentation whose segments don't overlap."""
    return outlook(
        dbt.ref("segment_definitions").df(),
        dbt.ref("segment_counts").df(),
        dbt.ref("segment_transitions").df(),
        dbt.config.meta_get("discount_rate"),
        dbt.config.meta_get("horizon_months"),
    ).astype(TYPES)
