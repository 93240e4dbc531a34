"""The core tables: what the project and the two references all produce, and how each is asked for them.

The references read what defines the tables (the segments, the columns that customers are clustered by, the
dates) from where the project has it, so that a change of a definition does not need to be made three times.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from customer_segmentation.clusters import Column, read_columns

PROJECT = Path(__file__).parents[1]
SETTINGS = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
RFM = PROJECT / "models" / "segments" / "segments_rfm.yml"
CLUSTER_COLUMNS = PROJECT / "macros" / "fits" / "cluster_columns.sql"
HORIZONS = (90, 365)
SAMPLE = 10_000  # models/fits/cluster_sample.sql
METRICS = {
    "recency": "days_since_last_order",
    "frequency": "lifetime_orders",
    "monetary": "lifetime_revenue",
    "monetary_12m": "revenue_12m",
}


@dataclass(frozen=True)
class Table:
    """A core table: its grain, what else is in it, and the SQL that asks the project for it.

    exact: columns that must be equal; cents: amounts of which one side may have rounded to the cent; close:
    columns of doubles, with the relative difference that is allowed from (a) and from (b), and below floor
    relative to that; named: columns whose values may have other names in (b), if each stands for one.
    """

    name: str
    key: tuple[str, ...]
    query: str
    exact: tuple[str, ...] = ()
    cents: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    tolerance: tuple[float, float] = (1e-12, 1e-12)
    floor: float = 1e-9
    named: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All of its columns."""
        return (*self.key, *self.exact, *self.cents, *self.close, *self.named)


# Sums of decimals and counts are exact. Ratios of two such numbers are one division, but pandas may work it
# out from cents: the last digit may differ.
TABLES = (
    Table(
        "rfm_features",
        ("customer_id", "as_of_date"),
        "select * from features.features_rfm where days_since_first_purchase is not null",
        exact=(
            "first_order_on",
            "last_order_on",
            "days_since_first_order",
            "days_since_last_order",
            "lifetime_orders",
            "lifetime_revenue",
            "orders_12m",
            "revenue_12m",
            "interpurchase_count",
            "days_since_first_purchase",
            "days_from_first_to_last_purchase",
        ),
        close=("average_order_value",),
    ),
    Table(
        "rfm_cutoffs",
        ("as_of_date", "metric"),
        "select fitted_on as as_of_date, * from fits.fit_rfm_cutoffs"
        " where fitted_on in (select as_of_date from staging.as_of_dates)",
        exact=("cutoff_1", "cutoff_2", "cutoff_3", "cutoff_4", "customers"),
    ),
    Table(
        "rfm_scores",
        ("customer_id", "as_of_date"),
        "select * from scores.score_rfm where as_of_date = fitted_on",
        exact=("recency_score", "frequency_score", "monetary_score", "monetary_12m_score"),
    ),
    Table(
        "rfm_segments",
        ("customer_id", "as_of_date"),
        "select customer_id, as_of_date, rfm as segment from segments.segment_history where rfm is not null",
        exact=("segment",),
    ),
    Table(
        "migration",
        ("as_of_date", "from_segment", "to_segment"),
        """
        select as_of_date, from_segment, to_segment, sum(customers) as customers, sum(revenue) as revenue
        from marts.segment_migration where segmentation = 'rfm'
        group by as_of_date, from_segment, to_segment
        """,
        exact=("customers", "revenue"),
    ),
    Table(
        "profiles",
        ("segment",),
        "select * from marts.segment_profiles where segmentation = 'rfm'",
        exact=(
            "customers",
            "lifetime_revenue",
            "revenue_12m",
            "lifetime_orders_median",
            "days_since_first_order_median",
            "days_since_last_order_median",
        ),
        # between two customers in the middle, DuckDB's median of decimals has no half cents
        cents=("revenue_12m_median",),
        close=("share_of_customers", "lifetime_orders_mean", "orders_12m_mean", "average_order_value"),
    ),
    # The distance is a root of a sum of squares of five roundings; what it comes from is the same to the last
    # digit.
    Table(
        "clusters",
        ("customer_id", "as_of_date"),
        """
        select * from scores.score_cluster
        where (as_of_date, fitted_on) in
            (select (as_of_date, learned_on) from scores.fits_in_use where as_of_date = fitted_on)
        """,
        close=("cluster_distance",),
        tolerance=(1e-9, 1e-6),
        named=("nearest_cluster",),
    ),
    # (a): the same parameters; the project has integrals as sums over 31 nodes. (b): lifetimes fits customers
    # one by one where the project fits states, of a week each, or four weeks where there are very many.
    # Measured at 1 million customers: 0.05 % with weeks and 0.4 % with four weeks on average, 4.5 % for the
    # customer furthest off, 0.07 % in the sum of all. What is expected of who has surely left is next to
    # nothing; below a hundredth of an order differences are relative to that.
    Table(
        "expectations",
        ("customer_id", "as_of_date"),
        """
        select * from scores.score_lifetime
        where (as_of_date, fitted_on) in
            (select (as_of_date, learned_on) from scores.fits_in_use where as_of_date = fitted_on)
        """,
        close=tuple(f"expected_orders_{days}d" for days in HORIZONS),
        tolerance=(1e-6, 5e-2),
        floor=0.01,
    ),
)


def month_before(day: date, months: int) -> date:
    """Return the day so many months before, or the last one of that month where it is shorter."""
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(years, month + 1, min(day.day, calendar.monthrange(years, month + 1)[1]))


def as_of_dates(latest: date, months: int = SETTINGS["history_months"]) -> list[date]:
    """Return the dates that models/staging/as_of_dates.sql looks at, in order."""
    first = latest.replace(day=1)
    ends = {month_before(first, back) - timedelta(days=1) for back in range(months)}
    return sorted({latest, *ends})


def fit_dates(dates: list[date]) -> list[date]:
    """Return the dates at which models are fitted: models/fits/fit_dates.sql."""
    return [
        day
        for day in dates
        if day == dates[0]
        or ((day + timedelta(days=1)).day == 1 and day.month % SETTINGS["refit_every_months"] == 0)
    ]


@cache
def segment_rules() -> tuple[list[tuple[str, str]], str]:
    """Return the RFM segments as [(name, condition in Python on arrays)], and the segment of all others.

    Raises ValueError where a condition is more than comparisons joined by `and`.
    """
    models = yaml.safe_load(RFM.read_text(encoding="utf-8"))["models"]
    written = models[0]["config"]["meta"]["segmentation"]
    rules = []
    for segment in written["segments"]:
        if "when" not in segment:
            continue
        parts = [re.fullmatch(r"(\w+) (<=|>=|=|<|>) (\d+)", part) for part in segment["when"].split(" and ")]
        if not all(parts):
            raise ValueError(
                f"{RFM.name}: the references can't read the condition of {segment['name']}, which is "
                f"`{segment['when']}`. Teach benchmarks/core.py to."
            )
        terms = [
            f"({name} {'==' if sign == '=' else sign} {limit})" for name, sign, limit in map(_parts, parts)
        ]
        rules.append((segment["name"], " & ".join(terms)))
    return rules, written["otherwise"]


def _parts(match: re.Match) -> tuple[str, ...]:
    return match.groups()


def place(values: dict[str, np.ndarray]) -> np.ndarray:
    """Return the segment of each buyer as a number: its place in `segment_names()`."""
    rules, _ = segment_rules()
    conditions = [eval(condition, {}, values) for _, condition in rules]
    return np.select(conditions, np.arange(len(rules)), len(rules)).astype(np.int8)


def segment_names() -> list[str]:
    """Return the names of the RFM segments, in the order of their rules."""
    rules, otherwise = segment_rules()
    return [*(name for name, _ in rules), otherwise]


@cache
def cluster_columns() -> list[Column]:
    """Return the columns that customers are clustered by, as the project's macro lists them."""
    text = CLUSTER_COLUMNS.read_text(encoding="utf-8").split("{% macro cluster_columns() %}")[1]
    listed = yaml.safe_load(re.search(r"set columns %}(.*?){% endset", text, re.DOTALL).group(1))
    return read_columns(listed)
