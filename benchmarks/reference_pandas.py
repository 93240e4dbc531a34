"""Reference (b): the core tables as a data scientist makes them, with pandas, scikit-learn and lifetimes.

One pass over the orders for each as-of date: filter, group, aggregate. Amounts are whole cents, so that their
sums are exact. BG/NBD is fitted by `lifetimes` and clusters by scikit-learn's KMeans, on the same sample and
with the same preparation as in the project. It is told how many clusters there are: finding that out, which
takes the project and reference (a) most of the time of that step, costs it nothing.

`python benchmarks/reference_pandas.py INPUT OUTPUT CLUSTERS` reads INPUT/orders.parquet, and
INPUT/events.parquet for the one column of the clusters that orders don't know, and writes a Parquet file for
each table into OUTPUT. CLUSTERS is JSON: {fit date: number of clusters}. Prints seconds by step as JSON.
"""

import hashlib
import json
import sys
import warnings
from datetime import date
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from core import (
    HORIZONS,
    METRICS,
    SAMPLE,
    SETTINGS,
    as_of_dates,
    cluster_columns,
    fit_dates,
    segment_rules,
)
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it sets an option that pandas is about to drop
    from lifetimes import BetaGeoFitter

SEED = 20_070_915  # customer_segmentation/clusters/selection.py
STARTS = 10


def read(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the orders that count, with what was returned of them and when, and the visits."""
    columns = [
        "customer_id",
        "ordered_at",
        "amount",
        "discount_amount",
        "returned_amount",
        "returned_at",
        "status",
    ]
    orders = pd.read_parquet(folder / "orders.parquet", columns=columns)
    orders = orders[orders["status"] != "cancelled"]
    orders["customer_id"] = orders["customer_id"].astype("category")
    for column in ("amount", "discount_amount", "returned_amount"):
        orders[column] = (orders[column].astype(float) * 100).round().astype("int64")
    orders["day"] = orders["ordered_at"].dt.normalize()
    orders["returned_day"] = orders["returned_at"].fillna(orders["ordered_at"]).dt.normalize()
    orders["returned_day"] = orders[["returned_day", "day"]].max(axis=1)
    orders["is_back"] = (orders["status"] == "returned") | (
        (orders["amount"] > 0) & (orders["returned_amount"] >= orders["amount"])
    )
    orders["returned_amount"] = orders["returned_amount"].where(~orders["is_back"], orders["amount"])
    orders = orders.drop(columns=["ordered_at", "returned_at", "status"]).sort_values("day")

    events = pd.read_parquet(folder / "events.parquet", columns=["customer_id", "occurred_at", "session_id"])
    events["day"] = events["occurred_at"].dt.normalize()
    events = events[["customer_id", "day", "session_id"]].drop_duplicates()
    return orders, events


def features(orders: pd.DataFrame, visits: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Return the features of who has bought by a date, by customer."""
    year_before = day - pd.DateOffset(months=12)
    placed = orders[orders["day"] <= day]
    # an order that is returned later counts until then
    counted = placed[~(placed["is_back"] & (placed["returned_day"] <= day))]
    returned = placed[(placed["returned_day"] <= day) & (placed["returned_amount"] > 0)]

    by_customer = placed.groupby("customer_id", observed=True)
    found = by_customer.agg(
        first_purchase_on=("day", "min"),
        last_purchase_on=("day", "max"),
        amount=("amount", "sum"),
        discount=("discount_amount", "sum"),
    )
    days = placed[["customer_id", "day"]].drop_duplicates()
    found["interpurchase_count"] = days.groupby("customer_id", observed=True).size() - 1
    found = found.join(
        counted.groupby("customer_id", observed=True).agg(
            first_order_on=("day", "min"), last_order_on=("day", "max"), lifetime_orders=("day", "size")
        )
    )
    lately = counted[counted["day"] > year_before]
    sums = {
        "orders_12m": lately.groupby("customer_id", observed=True).size(),
        "amount_12m": placed[placed["day"] > year_before]
        .groupby("customer_id", observed=True)["amount"]
        .sum(),
        "returned": returned.groupby("customer_id", observed=True)["returned_amount"].sum(),
        "returned_12m": returned[returned["returned_day"] > year_before]
        .groupby("customer_id", observed=True)["returned_amount"]
        .sum(),
        "visits_90d": visits[(visits["day"] <= day) & (visits["day"] > day - pd.Timedelta(days=90))]
        .groupby("customer_id")
        .size(),
    }
    for name, values in sums.items():
        found[name] = values.reindex(found.index).fillna(0).astype("int64")
    found["lifetime_orders"] = found["lifetime_orders"].fillna(0).astype("int64")
    found["lifetime_revenue"] = (found["amount"] - found["returned"]) / 100
    found["revenue_12m"] = (found["amount_12m"] - found["returned_12m"]) / 100
    found["average_order_value"] = found["lifetime_revenue"] / found["lifetime_orders"].replace(0, np.nan)
    found["discount_share"] = found["discount"] / (found["amount"] + found["discount"]).replace(0, np.nan)
    found["days_since_first_order"] = (day - found["first_order_on"]).dt.days
    found["days_since_last_order"] = (day - found["last_order_on"]).dt.days
    found["days_since_first_purchase"] = (day - found["first_purchase_on"]).dt.days
    found["days_from_first_to_last_purchase"] = (
        found["last_purchase_on"] - found["first_purchase_on"]
    ).dt.days
    return found.reset_index()


def score(buyers: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the cut-offs, and the buyers with scores from them and their segments.

    Equal values score equally, which pd.qcut on ranks would not give.
    """
    scored, rows = buyers.copy(), []
    for metric, column in METRICS.items():
        limits = (
            buyers[column].quantile([0.2, 0.4, 0.6, 0.8], interpolation="inverted_cdf") if False else None
        )
        limits = np.quantile(buyers[column], [0.2, 0.4, 0.6, 0.8], method="inverted_cdf")
        passed = np.searchsorted(limits, buyers[column], side="left")
        scored[f"{metric}_score"] = 5 - passed if metric == "recency" else 1 + passed
        rows.append((metric, *limits, len(buyers)))
    rules, otherwise = segment_rules()
    scored["segment"] = np.select(
        [scored.eval(rule) for _, rule in rules], [name for name, _ in rules], otherwise
    )
    return pd.DataFrame(rows, columns=["metric", *(f"cutoff_{i}" for i in range(1, 5)), "customers"]), scored


def migrate(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Return how many customers moved from which segment to which, and what they spent in between."""
    columns = ["customer_id", "segment", "lifetime_revenue"]
    both = before[columns].merge(now[columns], how="outer", on="customer_id", suffixes=("_before", "_now"))
    both = both[both["segment_before"].notna() | both["segment_now"].notna()]
    both["revenue"] = (
        (both["lifetime_revenue_now"].fillna(0) - both["lifetime_revenue_before"].fillna(0)).mul(100).round()
    )
    moves = both.groupby(["segment_before", "segment_now"], dropna=False).agg(
        customers=("customer_id", "size"), revenue=("revenue", "sum")
    )
    moves["revenue"] = moves["revenue"] / 100
    return moves.reset_index().rename(columns={"segment_before": "from_segment", "segment_now": "to_segment"})


def standardise(values: pd.DataFrame, fitted_on: pd.DataFrame) -> np.ndarray:
    """Return the values between the percentiles of the sample, with logarithms, on one scale."""
    scaled = []
    for column in cluster_columns():
        sample = fitted_on[column.name].dropna().astype(float)
        sample = sample[sample > 0] if column.transform == "log" else sample
        low, high = np.percentile(sample, (1, 99))
        if not low < high:
            continue

        def transform(
            x: pd.Series, low: float = low, high: float = high, how: str = column.transform
        ) -> pd.Series:
            limited = x.astype(float).clip(low, high)
            return limited if how == "plain" else np.log(limited + (1.0 if how == "log1p" else 0.0))

        known = transform(fitted_on[column.name].dropna())
        first, centre, third = np.percentile(known, (25, 50, 75))
        spread = max((third - first) / 1.349, known.to_numpy().std())
        scaled.append(((transform(values[column.name]) - centre) / spread).fillna(0).to_numpy())
    return np.column_stack(scaled)


def fit_clusters(sample: pd.DataFrame, number: int) -> KMeans:
    """Fit k-means on the sample; one thread, so that sums are always made in one order."""
    with threadpool_limits(1):
        return KMeans(number, n_init=STARTS, random_state=SEED, algorithm="lloyd").fit(
            standardise(sample, sample)
        )


def assign(buyers: pd.DataFrame, sample: pd.DataFrame, model: KMeans) -> pd.DataFrame:
    """Return the cluster of each buyer, and how far from its middle they are."""
    distances = model.transform(standardise(buyers, sample))
    found = buyers[["customer_id"]].copy()
    found["nearest_cluster"] = [f"cluster_{label}" for label in distances.argmin(axis=1)]
    found["cluster_distance"] = distances.min(axis=1) / np.sqrt(model.n_features_in_)
    return found


def fit_purchases(found: pd.DataFrame) -> tuple[BetaGeoFitter, float]:
    """Fit BG/NBD in weeks; return it with the orders per day on which somebody bought."""
    model = BetaGeoFitter()
    model.fit(
        found["interpurchase_count"],
        found["days_from_first_to_last_purchase"] / 7,
        found["days_since_first_purchase"] / 7,
    )
    return model, found["lifetime_orders"].sum() / (found["interpurchase_count"] + 1).sum()


def expect(found: pd.DataFrame, model: BetaGeoFitter, orders_per_purchase: float) -> pd.DataFrame:
    """Return the orders expected of each customer within each horizon."""
    expected = found[["customer_id"]].copy()
    for days in HORIZONS:
        purchases = model.conditional_expected_number_of_purchases_up_to_time(
            days / 7,
            found["interpurchase_count"].to_numpy(),
            found["days_from_first_to_last_purchase"].to_numpy() / 7,
            found["days_since_first_purchase"].to_numpy() / 7,
        )
        expected[f"expected_orders_{days}d"] = np.asarray(purchases) * orders_per_purchase
    return expected


def profile(buyers: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of each segment."""
    profiles = buyers.groupby("segment").agg(
        customers=("customer_id", "size"),
        lifetime_revenue=("lifetime_revenue", "sum"),
        revenue_12m=("revenue_12m", "sum"),
        orders=("lifetime_orders", "sum"),
        lifetime_orders_mean=("lifetime_orders", "mean"),
        orders_12m_mean=("orders_12m", "mean"),
        lifetime_orders_median=("lifetime_orders", "median"),
        revenue_12m_median=("revenue_12m", "median"),
        days_since_first_order_median=("days_since_first_order", "median"),
        days_since_last_order_median=("days_since_last_order", "median"),
    )
    for column in ("lifetime_revenue", "revenue_12m"):
        profiles[column] = profiles[column].round(2)
    profiles["share_of_customers"] = profiles["customers"] / len(buyers)
    profiles["average_order_value"] = profiles["lifetime_revenue"] / profiles["orders"]
    return profiles.reset_index()


def run(
    source: Path, target: Path, numbers: dict[str, int], months: int = SETTINGS["history_months"]
) -> dict[str, float]:
    """Write the core tables of an input as Parquet files; return the seconds by step."""
    seconds: dict[str, float] = {}
    since = perf_counter()

    def lap(step: str) -> None:
        nonlocal since
        now = perf_counter()
        seconds[step], since = round(seconds.get(step, 0) + now - since, 3), now

    orders, visits = read(source)
    latest = max(orders["day"].max(), visits["day"].max()).date()
    days = as_of_dates(latest, months)
    fitted_on = fit_dates(days)
    lap("read")

    # the same sample as the project's: by the hash of the id
    ids = orders["customer_id"].cat.categories
    place = pd.Series([hashlib.md5(name.encode()).hexdigest() for name in ids], index=ids).rank()
    tables: dict[str, list[pd.DataFrame]] = {}
    before = None

    def keep(name: str, day: date, table: pd.DataFrame) -> None:
        tables.setdefault(name, []).append(table.assign(as_of_date=day))

    for day in days:
        found = features(orders, visits, pd.Timestamp(day))
        keep("rfm_features", day, found)
        lap("features")
        cutoffs, buyers = score(found[found["lifetime_orders"] > 0])
        keep("rfm_cutoffs", day, cutoffs)
        keep("rfm_scores", day, buyers[["customer_id", *(f"{metric}_score" for metric in METRICS)]])
        keep("rfm_segments", day, buyers[["customer_id", "segment"]])
        lap("scores and segments")
        if before is not None:
            keep("migration", day, migrate(before, buyers))
        before = buyers
        lap("migration")
        if day in fitted_on:
            purchases, orders_per_purchase = fit_purchases(found)
            lap("BG/NBD fits")
            drawn = place.reindex(buyers["customer_id"]).argsort().to_numpy()[:SAMPLE]
            sample = buyers.iloc[drawn].sort_values("customer_id")
            clusters = fit_clusters(sample, numbers[str(day)])
            lap("cluster fits")
        keep("expectations", day, expect(found, purchases, orders_per_purchase))
        lap("expectations")
        keep("clusters", day, assign(buyers, sample, clusters))
        lap("clusters")
    tables["profiles"] = [profile(buyers)]
    lap("profiles")

    target.mkdir(parents=True, exist_ok=True)
    for name, parts in tables.items():
        pd.concat(parts, ignore_index=True).to_parquet(target / f"{name}.parquet", index=False)
    lap("write")
    return seconds


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seconds = run(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))
    json.dump(seconds, sys.stdout)
