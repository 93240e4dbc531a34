"""Judges the learned scores on their holdouts: customer_segmentation/evaluation."""

from customer_segmentation.fits import hash_of, stored_fits


def model(dbt, session):
    """Return a row per score, fit date, heuristic and metric; as stored if no holdout is new."""
    holdout = dbt.ref("evaluation_holdout")
    row = "hash(customer_id, score, as_of_date, predicted, actual)"
    judged = hash_of(holdout.aggregate(f"count(*), bit_xor({row})").fetchall())
    stored = stored_fits(session, dbt.this)
    if stored is not None and stored.project("made_with").distinct().fetchall() == [(judged,)]:
        return stored
    from customer_segmentation.evaluation.evaluate import TYPES, evaluate

    return evaluate(holdout.df()).astype(TYPES).assign(made_with=judged)
