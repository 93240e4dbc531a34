"""Puts the claims of definitions to the test: customer_segmentation/validity."""


def model(dbt, session):
    """Return one row per claim; as stored where no judgement is due."""
    if not dbt.ref("judged_dates").limit(1).fetchall():
        return session.sql(f"select * from {dbt.this}")
    from customer_segmentation.validity.claims import TYPES, put_to_test

    return put_to_test(dbt.ref("segment_claims").df(), dbt.ref("segment_moments").df()).astype(TYPES)
