"""From predictions and what came to rows of metrics and verdicts."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import pandas as pd
from scipy import stats
from threadpoolctl import threadpool_limits

from customer_segmentation.evaluation import bands
from customer_segmentation.evaluation.groups import share_explained
from customer_segmentation.evaluation.verdicts import (
    EQUAL,
    LIFETIME_MODEL,
    METRICS,
    RANK_ONLY,
    REPLACEMENTS,
    VOTES,
    Comparison,
    against_heuristic,
    compare,
    is_enough,
    overall,
)

HEURISTICS = {
    "segment mean": "segment_mean",
    "repeat rate": "repeat_rate",
    RANK_ONLY: "recency",
    LIFETIME_MODEL: "lifetime_model",
}
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

Row = dict[str, object]  # of TYPES


def evaluate(holdout: pd.DataFrame) -> pd.DataFrame:
    """Return one row per score, as-of date, heuristic and metric, in the columns of TYPES.

    holdout: one row per score, as-of date and customer, with `kind` (amount, probability or group),
    `predicted` and `actual`, the heuristics `segment_mean` and `repeat_rate` (in the units of the
    prediction), `recency` (higher where more is to be expected) and `lifetime_model` (what that model says
    of the same, None where it is the score itself). Amounts with a band, which are called
    <outcome>_<horizon_days>d, have `horizon_days`, `cell`, `variance` (of what the customer will do) and
    `relative_error` (one standard error of the parameters as a share of the expected total).

    Rows without a prediction are left out. The metric "overall" holds the verdict against a heuristic, and
    under the heuristic "(all)" that of the score. What is not defined is None, never nan, and `note` says
    why. `.astype(TYPES)` makes a table of it, also of no rows.
    """
    rows: list[Row] = []
    usable = holdout[np.isfinite(holdout["predicted"].astype(float))]
    ordered = usable.sort_values(["score", "as_of_date", "customer_id"], kind="stable")
    with threadpool_limits(1, "blas"):  # so that sums don't depend on how many cores there are
        for _, group in ordered.groupby(["score", "as_of_date"], sort=True):
            found = _groups if group["kind"].iloc[0] == "group" else _score
            rows += [_keys(group) | row for row in found(group)]
    for horizon, judged in _with_bands(ordered):
        rows += _bands(horizon, judged)
    evaluation = pd.DataFrame(rows, columns=list(TYPES), dtype=object)
    return evaluation.where(evaluation.notna(), None)


def _keys(group: pd.DataFrame) -> Row:
    return {
        "score": group["score"].iloc[0],
        "as_of_date": group["as_of_date"].iloc[0],
        "customers": len(group),
    }


def _with_bands(ordered: pd.DataFrame) -> Iterator[tuple[int, list[pd.DataFrame]]]:
    """Yield for each score that has bands its horizon and its holdouts, with those over fewer days."""
    by_score: dict[tuple[str, int], list[pd.DataFrame]] = {}
    for (score, _), group in ordered[ordered["kind"] == "amount"].groupby(["score", "as_of_date"], sort=True):
        if group["variance"].isna().all() or not is_enough("amount", _values(group, "actual")):
            continue
        horizon = int(group["horizon_days"].iloc[0])
        by_score.setdefault((str(score).removesuffix(f"_{horizon}d"), horizon), []).append(group)
    for outcome, horizon in sorted(by_score):
        groups = [found for (other, days), found in by_score.items() if other == outcome and days <= horizon]
        yield horizon, [group for found in groups for group in found]


def _score(group: pd.DataFrame) -> Iterator[Row]:
    kind = group["kind"].iloc[0]
    predicted, actual = _values(group, "predicted"), _values(group, "actual")
    enough = is_enough(kind, actual)
    by_metric = {name: metric.compute(predicted, actual) for name, metric in METRICS[kind].items()}
    by_heuristic, errors = {}, {}
    for heuristic, column in HEURISTICS.items():
        naive = _values(group, column)
        if heuristic == LIFETIME_MODEL and not np.isfinite(naive).any():
            continue  # it says nothing of this score, or was not fitted
        if not np.isfinite(naive).all():
            yield {"heuristic": heuristic, "metric": IN_ALL, "note": "not known on the date of the fit"}
            continue
        verdicts = {}
        for name, metric in METRICS[kind].items():
            if heuristic == RANK_ONLY and metric.needs_values:
                continue
            comparison = compare(metric, by_metric[name], metric.compute(naive, actual), enough)
            verdicts[name] = comparison.verdict
            if name == VOTES[kind][1] and comparison.heuristic_value is not None:
                errors[heuristic] = comparison.heuristic_value
            yield {"heuristic": heuristic, "metric": name} | _row(comparison)
        by_heuristic[heuristic] = against_heuristic(kind, verdicts)
        yield {"heuristic": heuristic, "metric": IN_ALL, "verdict": by_heuristic[heuristic]}
    verdict, replaced_by = overall(by_heuristic, errors)
    unknown = [name for name in REPLACEMENTS if name not in by_heuristic]
    note = None
    if verdict is None:
        note = "too few customers, or too few who ordered, for a verdict"
    elif verdict == EQUAL and unknown:
        note = f"not proven better: on the date of the fit the {' and the '.join(unknown)} was not known"
    yield {
        "heuristic": ALL,
        "metric": IN_ALL,
        "verdict": verdict,
        "replaced_by": replaced_by,
        "note": note,
    }


def _row(comparison: Comparison) -> Row:
    row = asdict(comparison)
    return row | {"note": None if comparison.value is not None else "not defined for these customers"}


def _values(group: pd.DataFrame, column: str) -> np.ndarray:
    return group[column].to_numpy(dtype=float, na_value=np.nan)


def _bands(horizon: int, judged: list[pd.DataFrame]) -> Iterator[Row]:
    """Yield for the holdouts of one score how its bands held, and after the last of them what is in a band.

    horizon: the score's own. judged: its holdouts, and those of the same outcome over fewer days. How bands
    held is told with each holdout left out: its own miss is not in the band that is held against it.
    """
    read = [(group, bands.read_holdout(group)) for group in judged]
    known = [holdout for _, holdout in read if holdout]
    last = None
    for group, holdout in read:
        if holdout and holdout.horizon == horizon and holdout.judged.any():
            last = group
            others = [other for other in known if other is not holdout]
            for row in _coverage(holdout, bands.parts(others, horizon)):
                yield _keys(group) | row
    found = bands.parts(known, horizon)
    if last is not None and found is not None:
        horizons = " and ".join(f"{days}" for days in sorted({holdout.horizon for holdout in known}))
        rests = (
            f"{found.holdouts} holdouts, {found.windows} of them apart in time, of {horizons} days"
            if found.holdouts > 1
            else f"1 holdout, of {horizons} days"
        )
        for metric, value in (("band_common_part", found.common), ("band_cell_part", found.cells)):
            yield _keys(last) | {"heuristic": NONE, "metric": metric, "value": value, "note": rests}


def _coverage(holdout: bands.Holdout, parts: bands.Parts | None) -> Iterator[Row]:
    if parts is None:
        note = "there is no other holdout to make a band from"
        yield {"heuristic": NONE, "metric": "band_coverage", "note": note}
        return
    of_cells, of_total = parts.half_widths(holdout)
    held = (np.abs(holdout.came - holdout.expected) <= of_cells)[holdout.judged]
    trial = stats.binomtest(int(held.sum()), len(held))
    # by Wilson 1927, which stays between 0 and 1
    lower, upper = trial.proportion_ci(0.95, method="wilson")
    rests = f"bands made from {parts.holdouts} other holdouts"
    yield {
        "heuristic": NONE,
        "metric": "band_coverage",
        "value": trial.statistic,
        "verdict": "too narrow"
        if upper < bands.COVERAGE
        else "too wide"
        if lower > bands.COVERAGE
        else "holds",
        "note": f"{len(held)} cells of recency and frequency, {rests}",
    }
    yield {
        "heuristic": NONE,
        "metric": "band_coverage_of_total",
        "value": float(abs(holdout.came.sum() - holdout.total) <= of_total),
        "note": f"1 if the total of all lay within its band, else 0; {rests}",
    }


def _groups(group: pd.DataFrame) -> Iterator[Row]:
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
