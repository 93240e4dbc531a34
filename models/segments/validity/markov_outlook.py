"""Projects segments as a Markov chain: customer_segmentation/validity."""

from customer_segmentation.validity.outlook import REVENUE_JUDGED, TYPES, outlook


def model(dbt, session):
    """Return one row per segment of each segmentation whose segments don't overlap.

    Its revenue is judged when segmentations are; until then the verdict stands.
    """
    found = outlook(
        dbt.ref("segment_definitions").df(),
        dbt.ref("segment_counts").df(),
        dbt.ref("segment_transitions").df(),
        dbt.ref("segment_moments").df(),
        dbt.config.meta_get("discount_rate"),
        dbt.config.meta_get("horizon_months"),
    )
    if not dbt.ref("judged_dates").limit(1).fetchall():
        key = ["segmentation", "segment"]
        judged = session.sql(f"select {', '.join(key + REVENUE_JUDGED)} from {dbt.this}").df()
        found = found.drop(columns=REVENUE_JUDGED).merge(judged, on=key, how="left")
    return found[list(TYPES)].astype(TYPES)
