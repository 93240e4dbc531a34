"""The columns that clusters are made of, as macros/fits/cluster_columns.sql declares them."""

from dataclasses import dataclass

import pandas as pd

from customer_segmentation.clusters.naming import LANGUAGES, Words
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


def read_columns(table: pd.DataFrame) -> list[Column]:
    """Return the columns declared in the rows of the model cluster_columns, in their order there."""
    return [
        Column(
            row["column_name"],
            row["transform"],
            row["better"] or "",
            Words(
                *({language: row[f"{side}_{language}"] for language in LANGUAGES} for side in ("high", "low"))
            ),
        )
        for row in table.sort_values("position").to_dict("records")
    ]
