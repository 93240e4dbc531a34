"""Finds what lacks for the next better segment: customer_segmentation/definitions/way_up.py."""

from customer_segmentation.definitions.way_up import lacking


def model(dbt, session):
    """Return one row per customer at the latest date, ordered segmentation and term that is lacking."""
    return lacking(
        segments=dbt.ref("segment_definitions"),
        features=dbt.ref("latest_features"),
        dates=dbt.ref("as_of_dates"),
        fits=dbt.ref("fits_in_use"),
        cutoffs=dbt.ref("fit_rfm_cutoffs"),
    )
