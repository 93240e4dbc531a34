"""Compares models of the next order, each learned on past dates and tried on later ones.

    segmentation build --input completejourney
    python benchmarks/next_order_models.py build/completejourney.duckdb --days 30 --days 90

Every as-of date whose outcome is known is a test once: models learn from the latest six dates whose outcomes
were over a week before it, as in production (models/fits/next_order_training.sql), from the same features.
What a model is tuned by is decided on the last of these dates. Metrics are means over the test dates, the
size of the bias relative to what came; intervals are percentiles of 2,000 bootstrap samples of customers, who
keep all their test dates.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path

import click
import duckdb
import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from customer_segmentation.next_order import Feature, fit_table, predict, read_features

GAP_DAYS, MOST_DATES, FEWEST_DATES, MOST_BUYERS = 7, 6, 2, 8000
REFERENCE = "boosting, calibrated"
SMALLEST = 1e-4  # a probability below it is taken for it: log loss has no room for a certainty that was wrong
BOOTSTRAPS = 2000
LEVEL_SHARE, LEVEL_WEIGHT = 0.5, 100  # how far `levelled` follows the level of the last date
BOOSTING = {"learning_rate": 0.05, "min_samples_leaf": 50, "l2_regularization": 1.0} | {
    "early_stopping": False,
    "random_state": 0,
}
BUYERS = """
    select
        features_rfm.customer_id,
        features_rfm.as_of_date,
        features_rfm.lifetime_orders,
        interpurchase_count / nullif(cast(days_since_first_purchase as double), 0) as repeats_a_day,
        row_number() over (
            partition by features_rfm.as_of_date order by md5(features_rfm.customer_id)
        ) <= {most_buyers} as is_sampled,
        exists (
            select * from features.order_days
            where
                order_days.customer_id = features_rfm.customer_id
                and order_days.orders_placed > 0
                and order_days.date_day > features_rfm.as_of_date
                and order_days.date_day <= features_rfm.as_of_date + {days}
        ) as has_order,
        {features}
    from features.features_rfm
    left join features.features_browsing
        on features_rfm.customer_id = features_browsing.customer_id
        and features_rfm.as_of_date = features_browsing.as_of_date
    where
        features_rfm.lifetime_orders > 0
        and features_rfm.as_of_date + {days} <= (select max(as_of_date) from staging.as_of_dates)
    order by features_rfm.as_of_date, features_rfm.customer_id
"""


@dataclass(frozen=True)
class Fold:
    """Rows to learn from, the last date of which is `last`, and rows to be tried on."""

    train: pd.DataFrame
    test: pd.DataFrame
    last: pd.Timestamp
    features: list[Feature]
    days: int

    @property
    def names(self) -> list[str]:
        """Names of the features."""
        return [feature.name for feature in self.features]

    @cached_property
    def trees(self) -> dict[str, int]:
        """Size and number of the trees that did best on the last date that may be learned from."""
        before = self.train[self.train["as_of_date"] + timedelta(self.days) <= self.last]
        if before.empty:
            return {"max_leaf_nodes": 8, "max_iter": 100}
        held_out = self.train[self.train["as_of_date"] == self.last]
        tried = []
        for leaves in (4, 8, 16, 31):
            model = HistGradientBoostingClassifier(max_leaf_nodes=leaves, max_iter=200, **BOOSTING)
            model.fit(before[self.names], before["has_order"])
            stages = model.staged_predict_proba(held_out[self.names])
            losses = [log_loss(held_out["has_order"], stage[:, 1]) for stage in stages]
            tried.append((min(losses), leaves, int(np.argmin(losses)) + 1))
        _, leaves, number = min(tried)
        return {"max_leaf_nodes": leaves, "max_iter": max(number, 20)}


def read(database: Path, days: int) -> tuple[pd.DataFrame, list[Feature]]:
    """Return all buyers on all as-of dates with a known outcome, and the features that are in use."""
    with duckdb.connect(str(database), read_only=True) as connection:
        columns = connection.execute("select * from fits.next_order_columns order by position").df()
        features = ", ".join(
            f"cast({row.value} as double) as {row.feature}" for row in columns.itertuples(index=False)
        )
        query = BUYERS.format(days=days, most_buyers=MOST_BUYERS, features=features)
        return connection.execute(query).df(), read_features(columns)


def folds(buyers: pd.DataFrame, features: list[Feature], days: int) -> Iterator[Fold]:
    """Yield a fold for each date that has enough dates before it."""
    dates = sorted(buyers["as_of_date"].unique())
    for test_date in dates:
        known = [date for date in dates if date + timedelta(days + GAP_DAYS) <= test_date][-MOST_DATES:]
        if len(known) >= FEWEST_DATES:
            train = buyers[buyers["as_of_date"].isin(known) & buyers["is_sampled"]]
            yield Fold(train, buyers[buyers["as_of_date"] == test_date], known[-1], features, days)


def spline_logistic(fold: Fold) -> np.ndarray:
    """Predict as production does."""
    fitted_on = fold.test["as_of_date"].iloc[0]
    table = fit_table(fold.train.assign(fitted_on=fitted_on), fold.features, [fitted_on], fold.days)
    return predict(table, fold.test)["probability"].to_numpy()


def levelled(fold: Fold) -> np.ndarray:
    """Predict as production does, moved towards the level of the last date whose outcomes are known.

    The log-odds of all are raised by what would make the sum of the probabilities of that date right, times
    LEVEL_SHARE, and less where the date has few orders, or few without.
    """
    before = fold.train[fold.train["as_of_date"] + timedelta(fold.days) <= fold.last]
    held_out = fold.train[fold.train["as_of_date"] == fold.last]
    predicted = spline_logistic(fold)
    if before["as_of_date"].nunique() < FEWEST_DATES:
        return predicted
    known = spline_logistic(Fold(before, held_out, before["as_of_date"].max(), fold.features, fold.days))
    came, expected = held_out["has_order"].mean(), known.mean()
    if not 0 < came < 1 or not np.isfinite(expected):
        return predicted
    rarer = len(held_out) * min(came, 1 - came)
    shift = rarer / (rarer + LEVEL_WEIGHT) * LEVEL_SHARE * (logit(came) - logit(expected))
    return expit(logit(np.clip(predicted, SMALLEST, 1 - SMALLEST)) + shift)


def plain_logistic(fold: Fold) -> np.ndarray:
    """Predict by one straight line for each feature, unknown values at the mean with an indicator."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    means = _straight(fold, fold.train).mean()
    train, test = (_straight(fold, rows) for rows in (fold.train, fold.test))
    columns = [
        pd.concat([rows.fillna(means).fillna(0), rows.isna().add_suffix("_unknown").astype(float)], axis=1)
        for rows in (train, test)
    ]
    return model.fit(columns[0], fold.train["has_order"]).predict_proba(columns[1])[:, 1]


def _straight(fold: Fold, rows: pd.DataFrame) -> pd.DataFrame:
    straight = rows[fold.names].astype(float)
    logs = [feature.name for feature in fold.features if feature.transform != "plain"]
    return straight.assign(**{name: np.log1p(straight[name].clip(lower=0)) for name in logs})


def boosting(fold: Fold) -> np.ndarray:
    """Predict by gradient-boosted trees of tuned size."""
    model = HistGradientBoostingClassifier(**fold.trees, **BOOSTING)
    model.fit(fold.train[fold.names], fold.train["has_order"])
    return model.predict_proba(fold.test[fold.names])[:, 1]


def calibrated_boosting(fold: Fold) -> np.ndarray:
    """Predict by the same trees, five times on four fifths, each calibrated (Platt) on the fifth left out."""
    model = CalibratedClassifierCV(
        HistGradientBoostingClassifier(**fold.trees, **BOOSTING), method="sigmoid", cv=5
    )
    model.fit(fold.train[fold.names], fold.train["has_order"])
    return model.predict_proba(fold.test[fold.names])[:, 1]


def recency_alone(fold: Fold) -> np.ndarray:
    """Predict the share of orders among training rows with about the same days since the last order."""
    return _shares(fold, {"days_since_last_order": 20})


def segment_mean(fold: Fold) -> np.ndarray:
    """Predict the share of orders in the same fifth of recency and of frequency."""
    return _shares(fold, {"days_since_last_order": 5, "lifetime_orders": 5})


def _shares(fold: Fold, groups: dict[str, int]) -> np.ndarray:
    train, test = pd.DataFrame(index=fold.train.index), pd.DataFrame(index=fold.test.index)
    for column, number in groups.items():
        cuts = np.unique(np.quantile(fold.train[column], np.arange(1, number) / number))
        train[column] = np.searchsorted(cuts, fold.train[column])
        test[column] = np.searchsorted(cuts, fold.test[column])
    shares = fold.train["has_order"].groupby([train[column] for column in groups]).mean().rename("share")
    found = test.join(shares, on=list(groups))["share"]
    return found.fillna(fold.train["has_order"].mean()).to_numpy()


def repeat_rate(fold: Fold) -> np.ndarray:
    """Predict that purchases go on by chance at the rate of the repeat purchases so far."""
    return -np.expm1(-fold.test["repeats_a_day"].fillna(0).to_numpy() * fold.days)


MODELS: dict[str, Callable[[Fold], np.ndarray]] = {
    "spline logistic": spline_logistic,
    "spline logistic, levelled": levelled,
    REFERENCE: calibrated_boosting,
    "boosting": boosting,
    "plain logistic": plain_logistic,
    "segment mean": segment_mean,
    "recency alone": recency_alone,
    "repeat rate carried on": repeat_rate,
}


def metrics(outcome: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """Return how good probabilities, shape (n,), are for outcomes, shape (n,)."""
    score = logit(np.clip(probability, SMALLEST, 1 - SMALLEST))[:, None]
    slope = LogisticRegression(C=np.inf).fit(score, outcome).coef_[0, 0]
    top = np.argsort(-probability, kind="stable")[: len(outcome) // 10]
    return {
        "AUC": roc_auc_score(outcome, probability),
        "Brier": brier_score_loss(outcome, probability),
        "log loss": _losses(outcome, probability).mean(),
        "slope": slope,
        "bias": probability.mean() - outcome.mean(),
        "bias in size": abs(probability.mean() - outcome.mean()) / outcome.mean(),
        "lift": outcome[top].mean() / outcome.mean(),
    }


def _losses(outcome: np.ndarray, probability: np.ndarray) -> np.ndarray:
    held = np.clip(probability, SMALLEST, 1 - SMALLEST)
    return -np.where(outcome, np.log(held), np.log1p(-held))


def interval(differences: pd.Series, customers: pd.Series) -> tuple[float, float]:
    """Return the 95 % interval of a mean difference per row when customers are drawn with replacement."""
    grouped = differences.groupby(customers.to_numpy()).agg(["sum", "size"]).to_numpy(dtype=float)
    rng = np.random.default_rng(1)
    means = []
    for _ in range(BOOTSTRAPS):
        drawn = grouped[rng.integers(len(grouped), size=len(grouped))].sum(axis=0)
        means.append(drawn[0] / drawn[1])
    return tuple(np.quantile(means, [0.025, 0.975]))


def compare(database: Path, days: int) -> list[str]:
    """Return the lines of a Markdown table."""
    buyers, features = read(database, days)
    rows, losses, customers, shares = [], [], [], []
    for fold in folds(buyers, features, days):
        outcome = fold.test["has_order"].to_numpy(dtype=bool)
        predictions = {name: model(fold) for name, model in MODELS.items()}
        rows += [{"model": name} | metrics(outcome, found) for name, found in predictions.items()]
        losses.append(pd.DataFrame({name: _losses(outcome, found) for name, found in predictions.items()}))
        customers.append(fold.test["customer_id"])
        shares.append(outcome.mean())
    lines = [f"{database.stem}, {days} days: {len(shares)} test dates, {np.mean(shares):.1%} order", ""]
    if not rows:
        return [*lines[:1], "", "Too few dates."]
    means = pd.DataFrame(rows).groupby("model", sort=False).mean()
    loss, customer = pd.concat(losses, ignore_index=True), pd.concat(customers, ignore_index=True)
    lines.append(
        "| Model | AUC | Brier | Log loss | against boosting (95 %) | Slope | Bias | in size | Lift |"
    )
    lines.append("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name, row in means.iterrows():
        difference = loss[name] - loss[REFERENCE]
        low, high = interval(difference, customer)
        against = "" if name == REFERENCE else f"{difference.mean():+.4f} ({low:+.4f} to {high:+.4f})"
        lines.append(
            f"| {name} | {row['AUC']:.4f} | {row['Brier']:.4f} | {row['log loss']:.4f} | {against} "
            f"| {row['slope']:.2f} | {row['bias']:+.3f} | {row['bias in size']:.1%} | {row['lift']:.2f} |"
        )
    return lines


@click.command()
@click.argument("databases", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--days", multiple=True, type=int, default=(30,), show_default=True, help="How far to look ahead."
)
def main(databases: tuple[Path, ...], days: tuple[int, ...]) -> None:
    """Compare models of the next order on built databases."""
    with threadpool_limits(1):
        for database in databases:
            for window in days:
                click.echo("\n".join([*compare(database, window), ""]))


if __name__ == "__main__":
    main()
