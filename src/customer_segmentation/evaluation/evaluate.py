"""From predictions and what came to rows of metrics and verdicts."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import pandas as pd
from scipy import stats

from customer_segmentation.evaluation.groups import share_explained
from customer_segmentation.evaluation.verdicts import (
    METRICS,
    RANK_ONLY,
    VOTES,
    Z_95,
    Comparison,
    against_heuristic,
    compare,
    is_enough,
    overall,
)

HEURISTICS = {"segment mean": "segment_mean", "repeat rate": "repeat_rate", RANK_ONLY: "recency"}
BAND_COVERAGE = 0.9
Z_90 = 1.6448536269514722
FEWEST_IN_A_CELL = 30
TYPES = {
    "score": "string",
    "as_of_date": "datetime64[us]",
    "heuristic": "string",
    "metric": "string",
    "value": "float64",
    "heuristic_value": "float64",
    "gain": "float64",
    "gain_lower": "float64",
    "gain_upper": "float64",
    "verdict": "string",
    "replaced_by": "string",
    "customers": "int64",
    "note": "string",
}
NONE, ALL, IN_ALL = "(none)", "(all)", "overall"


def evaluate(holdout: pd.DataFrame) -> pd.DataFrame:
    """Return one row per score, as-of date, heuristic and metric, in the columns of TYPES.

    holdout: one row per score, as-of date and customer, with `kind` (amount, probability or group),
    `predicted` and `actual`, the heuristics `segment_mean` and `repeat_rate` (in the units of the
    prediction) and `recency` (higher where more is to be expected), and for amounts with a band `cell`,
    `variance` (of the sum over customers) and `relative_error` (one standard error of the parameters as a
    share of the expected total).

    Rows without a prediction are left out. The metric "overall" holds the verdict against a heuristic, and
    under the heuristic "(all)" that of the score. What is not defined is None, never nan, and `note` says
    why. `.astype(TYPES)` makes a table of it, also of no rows.
    """
    rows: list[dict] = []
    usable = holdout[np.isfinite(holdout["predicted"].astype(float))]
    ordered = usable.sort_values(["score", "as_of_date", "customer_id"], kind="stable")
    for (score, as_of_date), group in ordered.groupby(["score", "as_of_date"], sort=True):
        found = _groups if group["kind"].iloc[0] == "group" else _score
        for row in found(group):
            rows.append({"score": score, "as_of_date": as_of_date, "customers": len(group)} | row)
    evaluation = pd.DataFrame(rows, columns=list(TYPES), dtype=object)
    return evaluation.where(evaluation.notna(), None)


def _score(group: pd.DataFrame) -> Iterator[dict]:
    kind = group["kind"].iloc[0]
    predicted, actual = _values(group, "predicted"), _values(group, "actual")
    enough = is_enough(kind, actual)
    by_metric = {name: metric.compute(predicted, actual) for name, metric in METRICS[kind].items()}
    by_heuristic, errors = {}, {}
    for heuristic, column in HEURISTICS.items():
        naive = _values(group, column)
        if not np.isfinite(naive).all():
            yield {"heuristic": heuristic, "metric": IN_ALL, "note": "not known on the date of the fit"}
            continue
        verdicts = {}
        for name, metric in METRICS[kind].items():
            if heuristic == RANK_ONLY and metric.needs_values:
                continue
            comparison = compare(metric, by_metric[name], metric.compute(naive, actual), enough)
            verdicts[name] = comparison.verdict
            if name == VOTES[kind][1]:
                errors[heuristic] = comparison.heuristic_value
            yield {"heuristic": heuristic, "metric": name} | _row(comparison)
        by_heuristic[heuristic] = against_heuristic(kind, verdicts)
        yield {"heuristic": heuristic, "metric": IN_ALL, "verdict": by_heuristic[heuristic]}
    verdict, replaced_by = overall(by_heuristic, errors)
    yield {
        "heuristic": ALL,
        "metric": IN_ALL,
        "verdict": verdict,
        "replaced_by": replaced_by,
        "note": None if verdict else "too few customers, or too few who ordered, for a verdict",
    }
    if kind == "amount":
        yield from _band(group, predicted, actual)


def _row(comparison: Comparison) -> dict:
    row = asdict(comparison)
    return row | {"note": None if comparison.value is not None else "not defined for these customers"}


def _values(group: pd.DataFrame, column: str) -> np.ndarray:
    return group[column].to_numpy(dtype=float, na_value=np.nan)


def _band(group: pd.DataFrame, predicted: np.ndarray, actual: np.ndarray) -> Iterator[dict]:
    """Yield the share of cells whose total came to lie within its 90 % band, and what the bands lack.

    The band is that of a sum of independent customers whose expectations share one error of the parameters:
    expected total +- 1.645 sqrt(sum of variances + (relative error x expected total)^2). What it lacks is the
    further relative error with which nine tenths of the cells would have been within.
    """
    variance, relative_error = _values(group, "variance"), _values(group, "relative_error")
    known = np.isfinite(variance) & np.isfinite(relative_error) & group["cell"].notna().to_numpy()
    if not known.any():
        return
    _, cell, size = np.unique(group["cell"].to_numpy()[known], return_inverse=True, return_counts=True)
    expected, came = np.bincount(cell, predicted[known]), np.bincount(cell, actual[known])
    squared_error = np.bincount(cell, variance[known])
    squared_error += (np.bincount(cell, relative_error[known]) / size * expected) ** 2
    judged = (size >= FEWEST_IN_A_CELL) & (expected > 0)
    if not judged.any():
        return
    squared_miss = ((came - expected)[judged] / Z_90) ** 2
    lacking = np.sqrt(np.maximum(squared_miss - squared_error[judged], 0)) / expected[judged]
    covered, lower, upper = wilson_interval(int(np.sum(lacking == 0)), len(lacking))
    yield {
        "heuristic": NONE,
        "metric": "band_coverage",
        "value": covered,
        "verdict": "too narrow"
        if upper < BAND_COVERAGE
        else "too wide"
        if lower > BAND_COVERAGE
        else "holds",
        "note": f"90 % bands of the totals of {len(lacking)} cells of recency and frequency",
    }
    yield {
        "heuristic": NONE,
        "metric": "band_missing_error",
        "value": float(np.sort(lacking)[int(np.ceil(BAND_COVERAGE * len(lacking))) - 1]),
        "note": "standard error that the bands lack, as a share of the total",
    }


def wilson_interval(successes: int, trials: int) -> tuple[float, float, float]:
    """Return a share with its 95 % interval by Wilson 1927, which stays between 0 and 1."""
    share = successes / trials
    centre = (successes + Z_95**2 / 2) / (trials + Z_95**2)
    margin = Z_95 / (trials + Z_95**2) * np.sqrt(trials * share * (1 - share) + Z_95**2 / 4)
    return share, float(centre - margin), float(centre + margin)


def _groups(group: pd.DataFrame) -> Iterator[dict]:
    """Yield how much of what came the clusters explain, beside as many groups by the segment mean."""
    actual, naive = _values(group, "actual"), _values(group, "segment_mean")
    labels = group["predicted"].to_numpy()
    explained = share_explained(labels, actual)
    if explained is None:
        return
    same_number = None
    if np.isfinite(naive).all():
        same_number = share_explained(_cut(naive, len(np.unique(labels))), actual)
    yield {
        "heuristic": "segment mean",
        "metric": "share_of_variance_explained",
        "value": explained,
        "heuristic_value": same_number,
        "gain": None if same_number is None else explained - same_number,
        "note": "of orders in the outcome window, by cluster and by as many groups of recency and frequency",
    }


def _cut(values: np.ndarray, number: int) -> np.ndarray:
    """Return groups of shape (n,), at most `number`, of about equal size, equal values together."""
    position = (stats.rankdata(values) - 0.5) / len(values)
    return np.floor(position * number)
