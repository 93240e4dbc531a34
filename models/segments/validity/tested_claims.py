"""Puts the claims of definitions to the test: customer_segmentation/validity."""

from customer_segmentation.validity.claims import TYPES, put_to_test


def model(dbt, session):
    """Return one row per claim."""
    return put_to_test(dbt.ref("segment_claims").df(), dbt.ref("segment_moments").df()).astype(TYPES)
