"""An order of rows that follows from the rows, since last digits of sums follow from the order."""

import pandas as pd

KEYS = (
    "as_of_date",
    "outcome_window",
    "segmentation",
    "segment",
    "position",
    "label",
    "known",
    "input_column",
    "other_segmentation",
    "other_label",
    "from_segment",
    "to_segment",
    "metric",
    "versus",
)


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a frame sorted by what identifies them, as far as it has these columns."""
    keys = [key for key in KEYS if key in frame and not pd.api.types.is_float_dtype(frame[key])]
    return frame.sort_values(keys, kind="stable", ignore_index=True)
