"""Judges the learned scores on their holdouts: customer_segmentation/evaluation."""

from customer_segmentation.evaluation.evaluate import TYPES, evaluate


def model(dbt, session):
    """Return metrics and verdicts, one row per score, fit date, heuristic and metric."""
    return evaluate(dbt.ref("evaluation_holdout").df()).astype(TYPES)
