"""Behavioural clusters: learned from a sample of the customers, applied by SQL from a table of parameters."""

from customer_segmentation.clusters.columns import Column, read_columns
from customer_segmentation.clusters.table import fit_table

__all__ = ["Column", "fit_table", "read_columns"]
