"""What the Python models of fits share: which dates are due, and how new fits join those that are stored."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import pandas as pd


@dataclass(frozen=True)
class Due:
    """The dates of which a model makes fits now, in order; what it makes them with, and a hash of that."""

    dates: list[date]
    settings: Mapping[str, Any]
    made_with: str


def due_fits(fits_due: duckdb.DuckDBPyRelation, fit: str) -> Due:
    """Return what the rows of the model fits_due (fit, fitted_on, settings) say of a fit."""
    rows = fits_due.filter(f"fit = '{fit}'").order("fitted_on").project("fitted_on, settings").fetchall()
    settings = rows[0][1] if rows else "{}"
    return Due(
        [fitted_on for fitted_on, _ in rows],
        json.loads(settings),
        hash_of(settings),
    )


def hash_of(made_from: object) -> str:
    """Return eight letters that are others when what something was made from is another."""
    return hashlib.md5(str(made_from).encode(), usedforsecurity=False).hexdigest()[:8]


def stored_fits(session: duckdb.DuckDBPyConnection, table: object) -> duckdb.DuckDBPyRelation | None:
    """Return the table that a model is stored in; None if there is none, or one of another version."""
    try:
        stored = session.sql(f"select * from {table}")
    except duckdb.CatalogException:
        return None
    return stored if "made_with" in stored.columns else None


def with_stored(
    session: duckdb.DuckDBPyConnection,
    stored: duckdb.DuckDBPyRelation | None,
    made: pd.DataFrame | None,
    due: Due,
    fit_dates: duckdb.DuckDBPyRelation,
) -> duckdb.DuckDBPyRelation:
    """Return the new fits beside the stored ones of other dates that are still fit dates.

    made: one or more rows a date with fitted_on and note; None if nothing was due.
    """
    parts = []
    if stored is not None:
        parts.append(
            "select * from stored where fitted_on in (select fitted_on from fit_dates) "
            f"and not list_contains({[str(day) for day in due.dates]}::date[], fitted_on)"
        )
    if made is not None:
        parts.append(
            "select * replace (cast(fitted_on as date) as fitted_on, cast(note as varchar) as note), "
            f"'{due.made_with}' as made_with from made where list_contains("
            f"{[str(day) for day in due.dates]}::date[], cast(fitted_on as date))"
        )
    return session.sql(" union all by name ".join(parts))
