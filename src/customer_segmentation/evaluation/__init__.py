"""How good a score is: metrics on a temporal holdout, beside simple heuristics, with a verdict."""

from customer_segmentation.evaluation.evaluate import evaluate

__all__ = ["evaluate"]
