"""Projects segments as a Markov chain: customer_segmentation/validity."""

from customer_segmentation.validity.outlook import TYPES, outlook


def model(dbt, session):
    """Return one row per segment of each segmentation whose segments don't overlap."""
    discount_rate, horizon_months = dbt.ref("outlook_settings").fetchall()[0]
    return outlook(
        dbt.ref("judged_segments").df(),
        dbt.ref("segment_counts").df(),
        dbt.ref("segment_transitions").df(),
        discount_rate,
        horizon_months,
    ).astype(TYPES)
