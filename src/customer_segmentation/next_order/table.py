"""From training rows to the table of parameters that SQL applies."""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from threadpoolctl import threadpool_limits

from customer_segmentation.next_order.curves import KNOTS, Array, Curve, Feature, design_matrix, fit_curve

# what a fit needs: below, coefficients say more about chance than about customers
FEWEST_ROWS = 500
FEWEST_OF_EACH_OUTCOME = 50
FEWEST_DATES = 2

PENALTIES = (30.0, 10.0, 3.0, 1.0, 0.3)  # from strong to weak, so that each fit starts from a simpler one
USUAL_PENALTY = 1.0  # where there is no date to try them on

MOST_STEPS = 100
TOLERANCE = 1e-12  # of the slope of the mean log-likelihood: after Newton's last step it is far below

DIGITS = 12
INTERCEPT, FIT = "(intercept)", "(fit)"
TYPES = {"fitted_on": "object", "feature": "string", "metric": "string", "value": "float64", "note": "string"}


@dataclass(frozen=True)
class Row:
    """A parameter of a fit, or a fact about it."""

    feature: str
    metric: str
    value: float | None = None
    note: str | None = None


@dataclass(frozen=True)
class Rows:
    """Training rows in an order of their own: values (n, features), outcome (n,), date (n,) as days."""

    values: Array
    outcome: Array
    date: np.ndarray

    def where(self, mask: np.ndarray) -> "Rows":
        """Return the rows for which the mask, shape (n,), holds."""
        return Rows(self.values[mask], self.outcome[mask], self.date[mask])


def read_features(declared: Iterable[Mapping[str, str]]) -> list[Feature]:
    """Return the features of the settings of the fit: mappings with `feature` and `transform`."""
    return [Feature(one["feature"], one["transform"]) for one in declared]


def fit_table(
    training: pd.DataFrame, features: Sequence[Feature], fitted_on: Iterable[date], days: int
) -> pd.DataFrame:
    """Return the fits of all dates, in the columns of TYPES: one row per fit, feature and metric.

    training: one row per fitted_on, as_of_date and customer_id, with has_order (an order within `days` days
    after as_of_date) and a column for each feature, nan or None where unknown. fitted_on: the dates to be
    fitted, of which some may have no training rows. Any order of rows gives the same table.

    What a customer's score is: the log-odds of an order are the value of (intercept) plus for each feature

        coef_linear (u - low) + coef_1 max(u - knot_1, 0) + coef_2 max(u - knot_2, 0) + ...

    with u the transformed value held between low and high, or coef_unknown where it is unknown.
    mean_contribution is the mean of that over the training rows. A fit that fails a gate or finds no maximum
    has no parameters; (fit) `problem` says why in its note.
    """
    dated = training.assign(fitted_on=pd.to_datetime(training["fitted_on"]))
    ordered = dated.sort_values(["fitted_on", "as_of_date", "customer_id"], kind="stable")
    by_date = dict(list(ordered.groupby("fitted_on")))
    with threadpool_limits(1, "blas"):  # so that sums don't depend on how many cores there are
        rows = [
            {"fitted_on": day.date()} | vars(row) | {"value": _rounded(row.value)}
            for day in sorted(pd.to_datetime(list(fitted_on)))
            for row in _fit(_read(by_date.get(day, ordered.iloc[:0]), features), features, days)
        ]
    return pd.DataFrame(rows, columns=list(TYPES)).astype(TYPES)


def predict(parameters: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the probability and the contribution of each feature, for rows (n,) of raw values.

    parameters: the rows of one fit from fit_table. The columns of the result are `probability` and the
    features'. It is the SQL of score_next_order once more, to be tested against.
    """
    values = {
        (feature, metric): value
        for feature, metric, value in parameters[["feature", "metric", "value"]].itertuples(index=False)
    }
    transforms = parameters[parameters["metric"] == "transform"]
    contributions = pd.DataFrame(index=rows.index)
    for name, transform in zip(transforms["feature"], transforms["note"], strict=True):
        knots = tuple(values[name, f"knot_{number}"] for number in range(1, KNOTS + 1))
        unit, low, high = (values[name, metric] for metric in ("unit", "low", "high"))
        raw = rows[name].to_numpy(dtype=float, na_value=np.nan)
        known = np.isfinite(raw)
        u = Curve(Feature(name, transform), unit, low, high, knots).held(np.where(known, raw, 0.0))
        contribution = values[name, "coef_linear"] * (u - low)
        for number, knot in enumerate(knots, start=1):
            contribution += values[name, f"coef_{number}"] * np.maximum(u - knot, 0.0)
        contributions[name] = np.where(known, contribution, values[name, "coef_unknown"])
    log_odds = values[INTERCEPT, "coef"] + contributions.sum(axis=1)
    return contributions.assign(probability=expit(log_odds.to_numpy()))


def _rounded(value: float | None) -> float | None:
    """Return a number without the last digits, which depend on how a machine adds up."""
    return None if value is None else float(f"{value:.{DIGITS}g}")


def _read(training: pd.DataFrame, features: Sequence[Feature]) -> Rows:
    columns = [training[feature.name].to_numpy(dtype=float, na_value=np.nan) for feature in features]
    date = training["as_of_date"].to_numpy(dtype="datetime64[D]")
    return Rows(np.column_stack([*columns]), training["has_order"].to_numpy(dtype=float), date)


def _fit(rows: Rows, features: Sequence[Feature], days: int) -> Iterator[Row]:
    dates = np.unique(rows.date)
    yield Row(FIT, "days", days)
    yield Row(FIT, "rows", len(rows.outcome))
    yield Row(FIT, "training_dates", len(dates))
    if len(dates):
        yield Row(FIT, "first_training_date", note=str(dates[0]))
        yield Row(FIT, "last_training_date", note=str(dates[-1]))
        yield Row(FIT, "share_with_order", float(rows.outcome.mean()))
    problem = _problem(rows)
    if problem:
        yield Row(FIT, "problem", note=problem)
        return
    validation, penalty = _choose_penalty(rows, features, days)
    curves = [fit_curve(feature, column) for feature, column in zip(features, rows.values.T, strict=True)]
    design = design_matrix(rows.values, curves)
    model = _logistic()
    has_converged = _learn(model, design, rows.outcome, penalty)
    yield Row(FIT, "penalty", penalty)
    yield from validation
    if not has_converged:
        yield Row(FIT, "problem", note="the likelihood has no maximum that could be found")
        return
    yield from _parameters(float(model.intercept_[0]), model.coef_[0], curves, design)


def _logistic() -> LogisticRegression:
    """Return a penalised logistic regression, which starts each fit where the last one ended."""
    return LogisticRegression(solver="newton-cholesky", tol=TOLERANCE, max_iter=MOST_STEPS, warm_start=True)


def _learn(model: LogisticRegression, design: Array, outcome: Array, penalty: float) -> bool:
    """Maximise log-likelihood - penalty / 2 * sum of squared coefficients; return whether that was found.

    design: shape (n, p). outcome: shape (n,), 0 or 1, both present. penalty: above 0, the inverse variance of
    a normal prior, which the intercept has none of; it does not grow with n.
    """
    model.set_params(C=1 / penalty)
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        model.fit(design, outcome)
    return not any(issubclass(warning.category, ConvergenceWarning) for warning in raised)


def _problem(rows: Rows) -> str | None:
    orders = int(rows.outcome.sum())
    dates = len(np.unique(rows.date))
    if dates < FEWEST_DATES:
        return f"{dates} as-of dates whose next orders were known by then; {FEWEST_DATES} are needed"
    if len(rows.outcome) < FEWEST_ROWS:
        return f"{len(rows.outcome)} training rows; {FEWEST_ROWS} are needed"
    if min(orders, len(rows.outcome) - orders) < FEWEST_OF_EACH_OUTCOME:
        return (
            f"{orders} training rows with an order, {len(rows.outcome) - orders} without; "
            f"{FEWEST_OF_EACH_OUTCOME} of each are needed"
        )
    return None


def _choose_penalty(rows: Rows, features: Sequence[Feature], days: int) -> tuple[list[Row], float]:
    """Return what a trial in time says, and the penalty that did best in it.

    The last training date is held out, and predicted by those whose outcomes were known by then. The penalty
    with the least log loss wins, the stronger one of equals. Without two such dates or enough of each
    outcome, the usual one is taken untried.
    """
    last = rows.date.max()
    held_out = rows.where(rows.date == last)
    before = rows.where(rows.date + np.timedelta64(days, "D") <= last)
    if not _rarer_outcome(held_out) or _rarer_outcome(before) < FEWEST_OF_EACH_OUTCOME:
        return [], USUAL_PENALTY
    curves = [fit_curve(feature, column) for feature, column in zip(features, before.values.T, strict=True)]
    design, held_out_design = (design_matrix(part.values, curves) for part in (before, held_out))
    model, tried = _logistic(), []
    for penalty in PENALTIES:
        if not _learn(model, design, before.outcome, penalty):
            break
        probability = model.predict_proba(held_out_design)[:, 1]
        tried.append((round(log_loss(held_out.outcome, probability), 9), -penalty, probability))
    if not tried:
        return [], USUAL_PENALTY
    least, penalty, probability = min(tried, key=lambda trial: trial[:2])
    return [
        Row(FIT, "validation_rows", len(held_out.outcome)),
        Row(FIT, "validation_log_loss", least),
        Row(FIT, "validation_brier", brier_score_loss(held_out.outcome, probability)),
        Row(FIT, "validation_auc", roc_auc_score(held_out.outcome, probability)),
    ], -penalty


def _rarer_outcome(rows: Rows) -> int:
    orders = int(rows.outcome.sum())
    return min(orders, len(rows.outcome) - orders)


def _parameters(
    intercept: float, coefficients: Array, curves: Sequence[Curve], design: Array
) -> Iterator[Row]:
    """Yield the parameters, in units of u and counted from its low end, so that SQL needs no more of them."""
    mean = design.mean(axis=0)
    position = 0
    rows: list[Row] = []
    for curve in curves:
        own = slice(position, position + curve.columns)
        position += curve.columns
        linear, *bends, unknown = coefficients[own]
        spread = curve.high - curve.low or 1.0
        at_low = -linear / 2
        intercept += at_low
        absent = KNOTS - len(curve.knots)
        slopes = [linear / spread, *(bend / spread for bend in bends), *[0.0] * absent]
        knots = [*curve.knots, *[curve.high] * absent]
        name = curve.feature.name
        rows.append(Row(name, "transform", note=curve.feature.transform))
        rows += [Row(name, metric, getattr(curve, metric)) for metric in ("unit", "low", "high")]
        rows += [Row(name, f"knot_{number}", knot) for number, knot in enumerate(knots, start=1)]
        rows.append(Row(name, "coef_linear", slopes[0]))
        rows += [Row(name, f"coef_{number}", slope) for number, slope in enumerate(slopes[1:], start=1)]
        rows.append(Row(name, "coef_unknown", unknown - at_low))
        rows.append(Row(name, "mean_contribution", float(mean[own] @ coefficients[own]) - at_low))
    yield Row(INTERCEPT, "coef", intercept)
    yield from rows
