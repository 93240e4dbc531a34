"""The columns that clusters are made of, as macros/fits/cluster_columns.sql declares them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from customer_segmentation.clusters.naming import Words
from customer_segmentation.clusters.scaling import TRANSFORMS


@dataclass(frozen=True)
class Column:
    """A column of the features.

    transform: one of scaling.TRANSFORMS. better: high or low, where one of them means a more valuable
    customer, else empty; it orders the ids of the first fit. words: what it is called in names.
    """

    name: str
    transform: str
    better: str
    words: Words

    def __post_init__(self) -> None:
        if self.transform not in TRANSFORMS:
            raise ValueError(f"{self.name}: transform is '{self.transform}', which is none of {TRANSFORMS}")
        if self.better not in ("high", "low", ""):
            raise ValueError(f"{self.name}: better is '{self.better}', which is neither high nor low")


def read_columns(declared: Mapping[str, Mapping[str, Any]]) -> list[Column]:
    """Return the columns that the settings list: {name: {transform, better, high, low}}, in order."""
    return [
        Column(name, column["transform"], column.get("better") or "", Words(column["high"], column["low"]))
        for name, column in declared.items()
    ]
