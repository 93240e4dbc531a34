"""What is known of earlier fits: read from the table that they were stored in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_segmentation.clusters.matching import Places
from customer_segmentation.clusters.naming import Phrase

ALL = "(all)"
COLUMNS = {
    "fitted_on": "object",
    "section": "str",
    "k": "int64",
    "cluster_id": "int64",
    "column_name": "str",
    "metric": "str",
    "value": "float64",
    "note": "str",
}


@dataclass(frozen=True)
class PastFit:
    """The clusters of an earlier fit: ids, shape (k,), where they stand, and the phrases of their names.

    highest_id is the highest that was ever given by then, to clusters that are still there or not.
    """

    fitted_on: date
    ids: NDArray[np.intp]
    places: Places
    phrases: list[tuple[Phrase, ...]]
    highest_id: int

    @property
    def k(self) -> int:
        """How many clusters it has."""
        return len(self.ids)


NOWHERE = Places([], np.zeros((0, 0)), np.zeros(0), np.zeros(0))
NOTHING_BEFORE = PastFit(date.min, np.zeros(0, dtype=np.intp), NOWHERE, [], 0)


def as_date(value: Any) -> date:
    """Return a date from whatever a database or pandas makes of one."""
    return pd.Timestamp(value).date()


def read_past_fits(table: pd.DataFrame | None) -> dict[date, PastFit]:
    """Return the fits with clusters in a stored table, by date.

    A table of another shape, of an earlier version of the project, holds none; nor does a fit with anything
    missing.
    """
    if table is None or not set(COLUMNS) <= set(table.columns):
        return {}
    fits = (_read_past_fit(as_date(day), rows) for day, rows in table.groupby("fitted_on"))
    return {fit.fitted_on: fit for fit in fits if fit}


def rows_before(day: date, table: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return the rows of a stored table about fits before a day."""
    past = table[[as_date(fitted_on) < day for fitted_on in table["fitted_on"]]]
    return list(past[list(COLUMNS)].itertuples(index=False, name=None))


def _read_past_fit(day: date, rows: pd.DataFrame) -> PastFit | None:
    clusters = rows[rows["section"] == "cluster"]
    centres = clusters[clusters["metric"] == "centre"].pivot(
        index="cluster_id", columns="column_name", values="value"
    )
    scales = rows[rows["section"] == "scale"].pivot(index="column_name", columns="metric", values="value")
    scales = scales.reindex(index=centres.columns, columns=["centre", "spread"])
    names = clusters[clusters["metric"] == "phrases"].set_index("cluster_id")["note"].reindex(centres.index)
    highest = rows.loc[rows["metric"] == "highest_id", "value"]
    parts = (centres, scales, names)
    if centres.empty or len(highest) != 1 or any(part.isna().to_numpy().any() for part in parts):
        return None
    return PastFit(
        day,
        centres.index.to_numpy(dtype=np.intp),
        Places(list(centres.columns), centres.to_numpy(), *scales.to_numpy().T),
        [read_phrases(text) for text in names],
        int(highest.iloc[0]),
    )


def write_phrases(phrases: tuple[Phrase, ...]) -> str:
    """Return the phrases of a name as the table holds them: `column high, column low`."""
    return ", ".join(f"{column} {direction}" for column, direction in phrases)


def read_phrases(text: str) -> tuple[Phrase, ...]:
    """Return the phrases that `write_phrases` wrote."""
    parts = (part.partition(" ") for part in text.split(", ") if part)
    return tuple((column, direction) for column, _, direction in parts)


@dataclass(frozen=True)
class History:
    """Fits on record, and all that are known: those, and beside them or in their place those of this run."""

    stored: Mapping[date, PastFit]
    known: dict[date, PastFit]

    def add(self, past: PastFit) -> None:
        """Take in a fit of this run."""
        self.known[past.fitted_on] = past

    def earlier(self, day: date) -> PastFit:
        """Return the last fit before a day, or one without clusters."""
        days = [past for past in self.known if past < day]
        return self.known[max(days)] if days else NOTHING_BEFORE

    def reference(self, day: date) -> PastFit:
        """Return the fit whose ids a day takes over: its own on record, else the one before, or after."""
        later = [past for past in self.stored if past > day]
        if day in self.stored:
            return self.stored[day]
        earlier = self.earlier(day)
        return self.stored[min(later)] if later and not earlier.k else earlier

    def highest_id(self) -> int:
        """Return the highest id that was ever given."""
        return max((past.highest_id for past in (*self.stored.values(), *self.known.values())), default=0)
