"""The next order: a logistic model of curves, learned from past dates, written down for SQL to apply."""

from customer_segmentation.next_order.curves import Feature
from customer_segmentation.next_order.table import fit_table, predict, read_features

__all__ = ["Feature", "fit_table", "predict", "read_features"]
