"""Reference (a): the core tables by hand, as fast as one script makes them. The practical limit.

DuckDB reads the Parquet files, sorts, and writes the result. In between, customers are numbers and states are
arrays: from one as-of date to the next, what came in is added and what left the last twelve months is taken
off, so each order is touched once for each number that it counts in, however many dates there are. The input
is taken as clean: nothing is checked, nothing is rejected. With `--checked`, every row of orders, order
items, products and events is checked as the project does it, in all columns (checks.py), and only those that
pass are used.

It fits by the project's own functions (clusters, BG/NBD), because only equal fits give equal tables.
Clusters, which take longest and keep one core busy, are fitted in a process beside the rest.

`python benchmarks/reference_duckdb.py FOLDER DATABASE [--months MONTHS] [--checked]` reads
FOLDER/orders.parquet, and FOLDER/events.parquet for the one column of the clusters that orders don't know,
and writes DATABASE. Prints seconds by step as JSON.
"""

import argparse
import json
import sys
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import duckdb
import numpy as np
import pandas as pd
from checks import Checks
from core import (
    HORIZONS,
    METRICS,
    SAMPLE,
    SETTINGS,
    as_of_dates,
    cluster_columns,
    fit_dates,
    month_before,
    place,
    segment_names,
)
from scipy.special import hyp2f1

from customer_segmentation import clusters
from customer_segmentation.clusters.scaling import Scale, standardise
from customer_segmentation.lifetime import bg_nbd
from customer_segmentation.lifetime.states import PurchaseStates

EPOCH = date(1970, 1, 1)
NEVER = np.iinfo(np.int32).max  # no day
MONEY = 10_000  # amounts are whole ten-thousandths: sums are exact
DAYS_OF_A_WEEK = 7
MOST_STATES = 200_000  # models/fits/lifetime_states.sql
RESOLUTIONS = (1, 7, 28)

Array = np.ndarray


def number(day: date) -> int:
    """Return a date as days since 1970."""
    return (day - EPOCH).days


@dataclass
class Stream:
    """Things that happened to customers, in the order of their days; arrays of shape (n,)."""

    code: Array
    day: Array
    weights: dict[str, Array]

    def only(self, mask: Array) -> "Stream":
        """Return some of them."""
        return Stream(self.code[mask], self.day[mask], {name: of[mask] for name, of in self.weights.items()})

    def until(self, day: int) -> int:
        """Return how many there are up to a day."""
        return int(np.searchsorted(self.day, day, side="right"))


@dataclass
class Total:
    """Of each customer, the sum of a weight over what happened: so far, or since some days or months ago."""

    stream: Stream
    weight: str | None
    customers: int
    since: object = None  # date -> date after which things count
    begin: int = 0
    end: int = 0
    values: Array = field(default=None)

    def at(self, day: date) -> Array:
        """Return the sums at a date, of shape (customers,); dates are asked for in their order."""
        if self.values is None:
            self.values = np.zeros(self.customers)
        end = self.stream.until(number(day))
        begin = self.stream.until(number(self.since(day))) if self.since else 0
        self.values += self._sum(self.end, end)
        self.values -= self._sum(self.begin, begin)
        self.begin, self.end = begin, end
        return self.values

    def _sum(self, begin: int, end: int) -> Array:
        weights = self.stream.weights[self.weight][begin:end] if self.weight else None
        return np.bincount(self.stream.code[begin:end], weights, minlength=self.customers)


class Shop:
    """The orders and visits of an input, as streams."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, folder: Path, months: int, checks: Checks | None = None
    ):
        """Read them, or those that passed the checks; customers are numbered in the order of their ids."""
        self.connection = connection
        orders, events = (
            checks.accepted(name) if checks else f"'{folder / name}.parquet'" for name in ("orders", "events")
        )
        connection.execute(
            f"""
            create temp table counted as
            select
                customer_id,
                ordered_at::date as day,
                (amount * {MONEY})::bigint as amount,
                (coalesce(discount_amount, 0) * {MONEY})::bigint as discount,
                (case when status = 'returned' or returned_amount > amount then amount
                    else coalesce(returned_amount, 0) end * {MONEY})::bigint as returned,
                greatest(coalesce(returned_at, ordered_at), ordered_at)::date as returned_day,
                coalesce(status = 'returned' or (amount > 0 and returned_amount >= amount), false) as is_back
            from {orders}
            where coalesce(status, 'completed') <> 'cancelled'
            """
        )
        connection.execute(
            """
            create table codes as
            select customer_id, (row_number() over (order by customer_id) - 1)::int as code
            from (select distinct customer_id from counted)
            """
        )
        self.customers = connection.execute("select count(*) from codes").fetchone()[0]
        placed = self._fetch(
            """
            select code, day - date '1970-01-01' as day, amount, discount, is_back
            from counted inner join codes on counted.customer_id = codes.customer_id
            order by day, code
            """
        )
        returned = self._fetch(
            """
            select code, returned_day - date '1970-01-01' as day, returned,
                day - date '1970-01-01' as ordered, is_back
            from counted inner join codes on counted.customer_id = codes.customer_id
            where is_back or returned > 0
            order by returned_day
            """
        )
        connection.execute("drop table counted")
        latest = f"greatest(max(day), (select max(occurred_at)::date from {events}))"
        self.latest = (
            checks.latest
            if checks
            else connection.execute(
                f"select {latest} from (select max(ordered_at)::date as day from {orders})"
            ).fetchone()[0]
        )
        self.dates = as_of_dates(self.latest, months)
        self.fit_dates = fit_dates(self.dates)
        visits = self._fetch(
            f"""
            select code, day - date '1970-01-01' as day
            from (
                select distinct customer_id, occurred_at::date as day, coalesce(session_id, '') as session_id
                from {events}
                where occurred_at >= date '{self.dates[0]}' - 90
            ) as visits
            inner join codes on visits.customer_id = codes.customer_id
            order by day
            """
        )
        self.placed, self.returned, self.visits = (_stream(rows) for rows in (placed, returned, visits))

    def _fetch(self, query: str) -> dict[str, Array]:
        return self.connection.execute(query).fetchnumpy()


def _stream(rows: dict[str, Array]) -> Stream:
    rows = {name: np.asarray(values) for name, values in rows.items()}
    return Stream(rows.pop("code"), rows.pop("day").astype(np.int32), rows)


def features(shop: Shop) -> dict[date, dict[str, Array]]:
    """Return for each as-of date the features of who has bought by then; arrays of shape (n,)."""
    size, placed, returned = shop.customers, shop.placed, shop.returned
    new_day = np.ones(len(placed.day), bool)
    new_day[1:] = (np.diff(placed.day) != 0) | (np.diff(placed.code) != 0)
    purchases = placed.only(new_day)
    kept = placed.only(~placed.weights["is_back"])
    back = returned.only(returned.weights["is_back"])
    ordered = back.weights["ordered"].astype(np.int32)
    placed.weights["list"] = placed.weights["amount"] + placed.weights["discount"]

    def year(day: date) -> date:
        return month_before(day, 12)

    totals = {
        "placed": Total(placed, None, size),
        "back": Total(back, None, size),
        "revenue": Total(placed, "amount", size),
        "returned": Total(returned, "returned", size),
        "placed_12m": Total(placed, None, size, year),
        "revenue_12m": Total(placed, "amount", size, year),
        "returned_12m": Total(returned, "returned", size, year),
        "purchases": Total(purchases, None, size),
        "discount": Total(placed, "discount", size),
        "list": Total(placed, "list", size),
        "visits_90d": Total(shop.visits, None, size, lambda day: day - timedelta(days=90)),
    }
    first_purchase, first_kept = _first(purchases, size), _first(kept, size)
    last_purchase, last_kept = (np.full(size, -1, np.int32) for _ in range(2))
    found, before = {}, -(10**6)
    for day in shop.dates:
        today = number(day)
        for last, stream in ((last_purchase, purchases), (last_kept, kept)):
            new = slice(stream.until(before), stream.until(today))
            last[stream.code[new]] = stream.day[new]  # of several, the latest stays
        before = today
        now = {name: total.at(day) for name, total in totals.items()}
        back_12m = np.bincount(back.code[(ordered > number(year(day))) & (back.day <= today)], minlength=size)
        known = np.flatnonzero(first_purchase <= today).astype(np.int32)

        # an order that is returned later counts until then
        first, last = np.where(first_kept <= today, first_kept, NEVER), last_kept.copy()
        still = (ordered <= today) & (back.day > today)
        np.minimum.at(first, back.code[still], ordered[still])
        np.maximum.at(last, back.code[still], ordered[still])

        orders = (now["placed"] - now["back"])[known].astype(np.int32)
        revenue = ((now["revenue"] - now["returned"])[known]).astype(np.int64)
        revenue_12m = ((now["revenue_12m"] - now["returned_12m"])[known]).astype(np.int64)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[day] = {
                "code": known,
                "first_order": first[known],
                "days_since_first_order": today - first[known],
                "last_order": last[known],
                "days_since_last_order": today - last[known],
                "lifetime_orders": orders,
                "revenue": revenue,
                "orders_12m": (now["placed_12m"] - back_12m)[known].astype(np.int32),
                "revenue_12m_units": revenue_12m,
                "lifetime_revenue": revenue / MONEY,
                "revenue_12m": revenue_12m / MONEY,
                "average_order_value": np.where(orders > 0, revenue / MONEY / orders, np.nan),
                "repeats": now["purchases"][known].astype(np.int32) - 1,
                "first_purchase": first_purchase[known],
                "tenure_days": today - first_purchase[known],
                "last_days": (last_purchase - first_purchase)[known],
                "discount_share": (now["discount"] / now["list"])[known],
                "visits_90d": now["visits_90d"][known].astype(np.int32),
            }
    return found


def _first(stream: Stream, size: int) -> Array:
    first = np.full(size, NEVER, np.int32)
    first[stream.code[::-1]] = stream.day[::-1]
    return first


def score(now: dict[str, Array]) -> list[tuple]:
    """Add the RFM scores and the segment of each buyer, 0 and -1 for others; return the cut-offs."""
    buyers = now["lifetime_orders"] > 0
    count = int(buyers.sum())
    # the first value that so many fifths of the buyers are at or below
    places = [-(-count * fifth // 5) - 1 for fifth in range(1, 5)]
    cutoffs = []
    for metric, column in METRICS.items():
        values = now[column][buyers]
        limits = np.partition(values, places)[places].astype(float)
        passed = sum((now[column] > limit).astype(np.int8) for limit in limits)
        now[f"{metric}_score"] = np.where(
            buyers, 5 - passed if metric == "recency" else 1 + passed, 0
        ).astype(np.int8)
        cutoffs.append((metric, *limits.tolist(), count))
    now["segment"] = np.where(buyers, place(now), -1).astype(np.int8)
    return cutoffs


def migration(found: dict[date, dict[str, Array]], customers: int) -> list[tuple]:
    """Return as-of date, segment before and now (None outside), customers, and what they spent in between."""
    names = [None, *segment_names()]
    rows, days = [], list(found)
    for before, now in pairwise(days):
        pairs, spent = np.zeros(customers, np.int64), np.zeros(customers)
        for weight, sign, day in ((1, 1, now), (len(names), -1, before)):
            of = found[day]
            pairs[of["code"]] += weight * (of["segment"].astype(np.int64) + 1)
            spent[of["code"]] += sign * of["revenue"]
        # who is not known now has not spent
        counts = np.bincount(pairs, minlength=len(names) ** 2)
        sums = np.bincount(pairs, spent, minlength=len(names) ** 2)
        for pair in np.flatnonzero(counts).tolist():
            if pair:
                origin, goal = divmod(pair, len(names))
                rows.append(
                    (now, names[origin], names[goal], int(counts[pair]), round(sums[pair] / MONEY, 2))
                )
    return rows


def sample(shop: Shop, found: dict[date, dict[str, Array]]) -> pd.DataFrame:
    """Return what clusters are learned from: the same buyers as models/fits/cluster_sample.sql draws."""
    order = shop.connection.execute(
        "select code, customer_id from codes order by md5(customer_id), customer_id"
    ).fetchnumpy()
    place_of = np.empty(shop.customers, np.int64)
    place_of[order["code"]] = np.arange(shop.customers)
    ids = np.empty(shop.customers, object)
    ids[order["code"]] = order["customer_id"]
    frames = []
    for day in shop.fit_dates:
        now = found[day]
        buyers = np.flatnonzero(now["lifetime_orders"] > 0)
        drawn = buyers[np.argsort(place_of[now["code"][buyers]])[:SAMPLE]]
        values = {column.name: now[column.name][drawn].astype(float) for column in cluster_columns()}
        frames.append(pd.DataFrame({"fitted_on": day, "customer_id": ids[now["code"][drawn]], **values}))
    return pd.concat(frames)


def fit_clusters(learned_from: pd.DataFrame, days: list[date]) -> pd.DataFrame:
    """Fit clusters by the project's function, from scratch."""
    return clusters.fit_table(learned_from, cluster_columns(), "kmeans", None, days)


def fit_purchases(shop: Shop, now: dict[str, Array]) -> tuple[bg_nbd.Parameters, float]:
    """Fit BG/NBD on the states of models/fits/lifetime_states.sql; return also the orders per purchase."""
    buyers = {name: now[name] for name in ("repeats", "tenure_days", "last_days")}  # noqa: F841, read by DuckDB
    sizes = shop.connection.execute(
        "select "
        + ", ".join(
            f"approx_count_distinct(1000000000000 * repeats + 1000000 * "
            f"cast(floor((tenure_days - last_days) / {days}e0) as bigint) + "
            f"cast(floor(tenure_days / {days}e0) as bigint))"
            for days in RESOLUTIONS[:-1]
        )
        + " from buyers"
    ).fetchone()
    fine = [days for days, size in zip(RESOLUTIONS, sizes, strict=False) if size <= MOST_STATES]
    days = fine[0] if fine else RESOLUTIONS[-1]
    states = shop.connection.execute(
        f"""
        select
            repeats,
            sum(last_days) / count(*)::double as last,
            sum(tenure_days) / count(*)::double as tenure,
            count(*) as customers
        from buyers
        group by
            repeats,
            floor((tenure_days - last_days) / {days}.0::double),
            floor(tenure_days / {days}.0::double)
        order by all
        """
    ).fetchnumpy()
    repeats, last, tenure, customers = (np.asarray(states[name], float) for name in states)
    fit = bg_nbd.fit(PurchaseStates(repeats, last / DAYS_OF_A_WEEK, tenure / DAYS_OF_A_WEEK, customers))
    orders_per_purchase = float(now["lifetime_orders"].sum() / (now["repeats"] + 1).sum())
    return bg_nbd.Parameters(*fit.parameters), orders_per_purchase


def expect(states: list[dict[str, Array]], parameters: bg_nbd.Parameters, orders_per_purchase: float) -> None:
    """Add the orders expected of each customer within each horizon, at all dates that one fit is used for.

    What is expected of who is alive is worked out once for each number of repeats and tenure: equation 10 of
    the paper (customer_segmentation/lifetime/bg_nbd.py), with its hypergeometric function from scipy.
    """
    keys = [now["repeats"].astype(np.int64) * 10**6 + now["tenure_days"] for now in states]
    distinct = np.unique(np.concatenate([np.unique(key) for key in keys]))
    repeats, tenure_days = np.divmod(distinct, 10**6)
    if_alive = {
        days: _if_alive(
            parameters, repeats.astype(float), tenure_days / DAYS_OF_A_WEEK, days / DAYS_OF_A_WEEK
        )
        for days in HORIZONS
    }
    for now, key in zip(states, keys, strict=True):
        history = PurchaseStates(
            now["repeats"].astype(float),
            now["last_days"] / DAYS_OF_A_WEEK,
            now["tenure_days"] / DAYS_OF_A_WEEK,
            None,
        )
        orders = orders_per_purchase * bg_nbd.probability_alive(parameters, history)
        where = np.searchsorted(distinct, key)
        now |= {f"expected_orders_{days}d": orders * if_alive[days][where] for days in HORIZONS}


def _if_alive(parameters: bg_nbd.Parameters, repeats: Array, tenure: Array, horizon: float) -> Array:
    r, alpha, a, b = parameters
    with np.errstate(all="ignore"):
        hypergeometric = hyp2f1(
            r + repeats, b + repeats, a + b + repeats - 1, horizon / (alpha + tenure + horizon)
        )
        silent = np.exp(
            np.log(hypergeometric) + (r + repeats) * np.log((alpha + tenure) / (alpha + tenure + horizon))
        )
        purchases = (a + b + repeats - 1) / (a - 1) * (1 - silent)
    # where the formula fails (a near 1, many repeats), the integral that it stands for
    failed = ~np.isfinite(purchases) | (purchases < 0) | (abs(a - 1) < 1e-4)
    if failed.any():
        states = PurchaseStates(repeats[failed], None, tenure[failed], None)
        purchases[failed] = bg_nbd.purchases_if_alive(parameters, states, horizon)
    return purchases


def assign(now: dict[str, Array], parameters: pd.DataFrame) -> dict[str, Array]:
    """Return the cluster of each buyer and the distance from its middle; 0 and nan for others."""
    scales = parameters[parameters["section"] == "scale"].pivot(
        index="column_name", columns="metric", values="value"
    )
    of_clusters = parameters[parameters["section"] == "cluster"]
    centres = of_clusters[of_clusters["metric"] == "centre"].pivot(
        index="cluster_id", columns="column_name", values="value"
    )
    transforms = {column.name: column.transform for column in cluster_columns()}
    names = [name for name in transforms if name in centres.columns]
    buyers = np.flatnonzero(now["lifetime_orders"] > 0)
    squares = np.zeros((len(centres), len(buyers)))
    for name in names:
        scale = Scale(transforms[name], *scales.loc[name, ["low", "high", "centre", "spread"]])
        z = standardise(now[name][buyers], scale)
        for row, centre in enumerate(centres[name].to_numpy()):
            squares[row] += (z - centre) ** 2
    nearest = squares.argmin(axis=0)
    cluster, distance = np.zeros(len(now["code"]), np.int32), np.full(len(now["code"]), np.nan)
    cluster[buyers] = centres.index.to_numpy()[nearest]
    distance[buyers] = np.sqrt(squares[nearest, np.arange(len(buyers))] / len(names))
    return {"cluster": cluster, "cluster_distance": distance}


def write(connection: duckdb.DuckDBPyConnection, day: date, block: dict[str, Array], *, first: bool) -> None:
    """Write who is known at a date, with all that is known of them."""
    names = segment_names()
    segment = " ".join(f"when {place} then '{name}'" for place, name in enumerate(names))
    scores = ", ".join(f"nullif({metric}_score, 0) as {metric}_score" for metric in METRICS)
    connection.execute(
        f"""
        {"create table customers_by_date as" if first else "insert into customers_by_date"}
        select
            codes.customer_id,
            date '{day}' as as_of_date,
            case when first_order < {NEVER} then date '1970-01-01' + first_order end as first_order_on,
            case when last_order >= 0 then date '1970-01-01' + last_order end as last_order_on,
            (date '{day}' - first_order_on)::int as days_since_first_order,
            case when last_order >= 0 then days_since_last_order end as days_since_last_order,
            lifetime_orders,
            (revenue::decimal(38, 0) / {MONEY})::decimal(18, 4) as lifetime_revenue,
            nullif(average_order_value, 'nan') as average_order_value,
            orders_12m,
            (revenue_12m_units::decimal(38, 0) / {MONEY})::decimal(18, 4) as revenue_12m,
            repeats as interpurchase_count,
            tenure_days as days_since_first_purchase,
            last_days as days_from_first_to_last_purchase,
            {scores},
            case segment {segment} end as segment,
            case when cluster > 0 then 'cluster_' || cluster end as nearest_cluster,
            nullif(cluster_distance, 'nan') as cluster_distance,
            {", ".join(f"expected_orders_{days}d" for days in HORIZONS)}
        from block
        inner join codes on block.code = codes.code
        """
    )


def write_views(connection: duckdb.DuckDBPyConnection, latest: date) -> None:
    """Write the core tables that are parts of the wide one, and the profiles."""
    for name, condition in {
        "rfm_features": "true",
        "rfm_scores": "recency_score is not null",
        "rfm_segments": "segment is not null",
        "clusters": "nearest_cluster is not null",
        "expectations": "true",
    }.items():
        connection.execute(f"create view {name} as select * from customers_by_date where {condition}")
    connection.execute(
        f"""
        create table profiles as
        select
            segment,
            count(*) as customers,
            count(*) / sum(count(*)) over () as share_of_customers,
            sum(lifetime_revenue)::decimal(18, 2) as lifetime_revenue,
            sum(revenue_12m)::decimal(18, 2) as revenue_12m,
            sum(lifetime_orders) / count(*) as lifetime_orders_mean,
            sum(orders_12m) / count(*) as orders_12m_mean,
            sum(lifetime_revenue)::double / sum(lifetime_orders) as average_order_value,
            median(lifetime_orders) as lifetime_orders_median,
            median(revenue_12m)::double as revenue_12m_median,
            median(days_since_first_order) as days_since_first_order_median,
            median(days_since_last_order) as days_since_last_order_median
        from customers_by_date
        where as_of_date = date '{latest}' and segment is not null
        group by segment
        """
    )


class Watch:
    """Seconds by step."""

    def __init__(self):
        self.seconds: dict[str, float] = {}
        self.since = perf_counter()

    def lap(self, step: str) -> None:
        """Count what has passed since the last lap to a step."""
        now = perf_counter()
        self.seconds[step] = round(self.seconds.get(step, 0) + now - self.since, 3)
        self.since = now

    def move(self, step: str, part: str, seconds: float) -> None:
        """Count a part of a step as a step of its own."""
        self.seconds[step] = round(self.seconds[step] - seconds, 3)
        self.seconds[part] = seconds


def run(
    folder: Path, database: Path, months: int = SETTINGS["history_months"], *, checked: bool = False
) -> dict[str, float]:
    """Write the core tables of an input into a database; return the seconds by step."""
    watch = Watch()
    database.unlink(missing_ok=True)
    with ProcessPoolExecutor(1, get_context("fork")) as beside:
        beside.submit(int).result()  # forked here, before DuckDB has threads
        with duckdb.connect(str(database)) as connection:
            connection.execute("set enable_progress_bar = false")
            checks = Checks(connection, folder) if checked else None
            if checks:
                watch.lap("checks, beyond those of inputs")
                for name, seconds in checks.seconds.items():
                    watch.move("checks, beyond those of inputs", f"check {name}", seconds)
            _run(connection, Shop(connection, folder, months, checks), beside, watch)
    return watch.seconds


def _run(
    connection: duckdb.DuckDBPyConnection, shop: Shop, beside: ProcessPoolExecutor, watch: Watch
) -> None:
    watch.lap("read")
    found = features(shop)
    watch.lap("features")
    learning: Future = beside.submit(fit_clusters, sample(shop, found), shop.fit_dates)
    watch.lap("sample")
    columns = ["as_of_date", "metric", "cutoff_1", "cutoff_2", "cutoff_3", "cutoff_4", "customers"]
    rows = [(day, *row) for day, now in found.items() for row in score(now)]
    cutoffs = pd.DataFrame(rows, columns=columns)  # noqa: F841, read by DuckDB
    connection.execute("create table rfm_cutoffs as from cutoffs")
    columns = ["as_of_date", "from_segment", "to_segment", "customers", "revenue"]
    moves = pd.DataFrame(migration(found, shop.customers), columns=columns)  # noqa: F841, read by DuckDB
    connection.execute("create table migration as from moves")
    watch.lap("scores, segments, migration")
    fits = {day: fit_purchases(shop, found[day]) for day in shop.fit_dates}
    watch.lap("BG/NBD fits")
    in_use = {day: max(fitted for fitted in shop.fit_dates if fitted <= day) for day in shop.dates}
    for fitted_on, fit in fits.items():
        expect([now for day, now in found.items() if in_use[day] == fitted_on], *fit)
    watch.lap("expectations")
    table = learning.result()
    watch.lap("cluster fits, beyond the rest")
    learned = dict(list(table.groupby("fitted_on")))
    for place_, (day, now) in enumerate(found.items()):
        now |= assign(now, learned[in_use[day]])
        watch.lap("clusters")
        write(connection, day, now, first=place_ == 0)
        now.clear()
        watch.lap("write")
    write_views(connection, shop.latest)
    watch.lap("profiles")


def main() -> None:
    """Write the core tables of the folder that the arguments name, and print the seconds by step."""
    parser = argparse.ArgumentParser(description="Writes the core tables by one script.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("database", type=Path)
    parser.add_argument("--months", type=int, default=SETTINGS["history_months"])
    parser.add_argument("--checked", action="store_true", help="Check every row as the project does.")
    arguments = parser.parse_args()
    seconds = run(arguments.folder, arguments.database, arguments.months, checked=arguments.checked)
    json.dump(seconds, sys.stdout)


if __name__ == "__main__":
    main()
