"""One segmentation with all that is counted of it, and the rows in which it is judged."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from customer_segmentation.validity.effects import Effect
from customer_segmentation.validity.outcomes import members
from customer_segmentation.validity.thresholds import NOT_KNOWN

ALL = "(all)"
TREATMENT = ["treatment_objective", "treatment_channel", "treatment_offer"]
TYPES = {
    "segmentation": "string",
    "segment": "string",
    "criterion": "string",
    "measure": "string",
    "as_of_date": "datetime64[us]",
    "customers": "Int64",
    "value": "float64",
    "lower": "float64",
    "upper": "float64",
    "threshold": "float64",
    "verdict": "string",
    "mistake": "string",
    "note": "string",
}
NAMED = 6  # so many names fit into a note

Row = dict[str, object]  # of TYPES


@dataclass(frozen=True)
class Segmentation:
    """What the SQL models say of one segmentation.

    segments: its rows of segment_definitions that are in use, in order; counts: of segment_counts, also those
    outside of all segments; inputs: of segment_inputs; moments: of segment_moments in the latest window;
    overlaps: of segment_overlaps, seen from it; transitions: of segment_transitions, with those of all
    customers.
    """

    name: str
    segments: pd.DataFrame
    counts: pd.DataFrame
    inputs: pd.DataFrame
    moments: pd.DataFrame
    overlaps: pd.DataFrame
    transitions: pd.DataFrame

    @property
    def names(self) -> list[str]:
        """Its segments in the order of the definition."""
        return self.segments["segment"].tolist()

    @property
    def is_overlapping(self) -> bool:
        """Whether a customer may be in several of its segments."""
        return self.segments["assignment"].iloc[0] == "all_matches"

    @property
    def placed(self) -> pd.DataFrame:
        """The counts of those whom the segmentation looks at."""
        return self.counts[self.counts["label"].notna()]

    @property
    def customers(self) -> int:
        """Whom the segmentation looks at, on the latest date."""
        return int(self.placed["customers"].sum())

    def of(self, segment: str) -> pd.DataFrame:
        """Return the counts of a segment."""
        return self.placed[members(self.placed, segment)]

    def customers_of(self, segment: str) -> int:
        """Return the customers of a segment on the latest date."""
        return int(self.of(segment)["customers"].sum())


def row(
    criterion: str,
    segment: str,
    value: float | None = None,
    verdict: str = NOT_KNOWN,
    interval: Effect | None = None,
    /,
    **more: object,
) -> Row:
    """Return a row of TYPES; what is not given stays empty."""
    found: Row = {"criterion": criterion, "segment": segment, "verdict": verdict} | more
    if value is not None:
        found["value"] = float(value)
    if interval is not None:
        found |= {"lower": interval.lower, "upper": interval.upper}
    return found


def listed(names: Iterable[str]) -> str:
    """Return names as a list of readable length."""
    names = list(names)
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"
