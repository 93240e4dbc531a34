"""Judges segmentations by the criteria of a good one: customer_segmentation/validity."""


def model(dbt, session):
    """Return one row per segmentation, segment and criterion; as stored where no judgement is due."""
    dbt.ref("tested_claims")  # before this, because this says that both were made
    due = dbt.ref("judged_dates").project("judged_with").limit(1).fetchall()
    if not due:
        return session.sql(f"select * from {dbt.this}")
    from customer_segmentation.validity.judge import judge
    from customer_segmentation.validity.segmentations import TYPES

    judgements = judge(
        dbt.ref("segment_definitions").df(),
        dbt.ref("segment_counts").df(),
        dbt.ref("segment_inputs").df(),
        dbt.ref("segment_moments").df(),
        dbt.ref("segment_overlaps").df(),
        dbt.ref("segment_transitions").df(),
    )
    return judgements.astype(TYPES).assign(judged_with=due[0][0])
