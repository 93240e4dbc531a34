"""The numbers of the boards Segments, Overview and Movement as tables on the terminal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
from rich import box
from rich.console import Console
from rich.table import Table

from customer_segmentation import databases
from customer_segmentation.errors import ReadableError, unknown
from customer_segmentation.report import percent

Kind = Callable[[Any], str]  # writes the values of a column

EVERYBODY = "(all)"
OF_SEGMENTS = ("Stayed", "Up", "Down")  # everybody has no rank, and stays a customer
WIDE = ("Orders", "Per order")  # for which there is no room beside the others

# the whole first, then segmentation by segmentation in the order of the catalogue
PROFILES = """
select
    profiles.segmentation,
    coalesce(profiles.label, 'All customers'),
    profiles.customers,
    profiles.share_of_customers,
    profiles.revenue_12m,
    profiles.share_of_revenue_12m,
    profiles.index_revenue_12m,
    profiles.expected_revenue_365d,
    profiles.share_active,
    profiles.share_reachable
from marts.segment_profiles as profiles
where profiles.segmentation in ('(all)', $segmentation) or $segmentation is null
order by profiles.segmentation, profiles.position
"""

HABITS = """
select
    profiles.segmentation,
    coalesce(profiles.label, 'All customers'),
    profiles.days_since_last_order_median,
    profiles.interpurchase_days_median,
    profiles.average_order_value,
    profiles.discount_share_median,
    profiles.churn_probability_mean,
    profiles.top_categories
from marts.segment_profiles as profiles
where profiles.segmentation in ('(all)', $segmentation)
order by profiles.segmentation, profiles.position
"""

KPIS = """
select
    coalesce(segments.label, 'All customers'),
    kpis.as_of_date,
    kpis.customers,
    kpis.acquired,
    case when kpis.segmentation <> '(all)' then kpis.retained / nullif(kpis.customers_before, 0) end,
    kpis.upgraded,
    kpis.downgraded,
    kpis.won_back,
    kpis.churned,
    kpis.revenue,
    kpis.orders,
    kpis.average_order_value,
    kpis.repeat_rate,
    kpis.previous_as_of_date
from marts.segment_kpis as kpis
left join marts.segments as segments
    on kpis.segmentation = segments.segmentation
    and kpis.segment = segments.segment
where
    kpis.segmentation = $segmentation
    and kpis.as_of_date in (
        select distinct as_of_date from marts.segment_kpis order by as_of_date desc limit $months
    )
order by segments.position, kpis.segment, kpis.as_of_date
"""


class TablesError(ReadableError):
    """There is nothing to show; the message says why, and what to do."""


def print_profiles(database: Path, segmentation: str | None, currency: str, console: Console) -> None:
    """Print who is in each segment at the latest date; of one segmentation also what they do."""
    with databases.opened(database) as connection:
        _check(connection, segmentation)
        wanted = {"segmentation": segmentation}
        profiles = connection.execute(PROFILES, wanted).fetchall()
        habits = connection.execute(HABITS, wanted).fetchall() if segmentation else []
        latest = connection.execute("select max(as_of_date) from marts.segment_profiles").fetchall()
    if not profiles:
        raise TablesError(f"{database} has no customers.")
    console.print(f"As of {latest[0][0]}, amounts in {currency}")
    console.print(
        _table(
            {
                "Segment": str,
                "Customers": _count,
                "Share": percent,
                "Revenue 12m": _count,
                "Its share": percent,
                "Index": _count,
                "Next 365d": _count,
                "Active": percent,
                "Reach": percent,
            },
            profiles,
            titled=segmentation is None,
        )
    )
    if habits:
        console.print()
        console.print(
            _table(
                {
                    "Segment": str,
                    "Last order": _days,
                    "Between": _days,
                    "Average order": _count,
                    "Discount": percent,
                    "Churn": percent,
                    "Top categories": str,
                },
                habits,
                titled=False,
            )
        )
    console.print(
        "Index: revenue per customer, 100 is that of all customers. Next 365d: expected revenue. "
        "Reach: consents to a channel."
    )
    if habits:
        console.print("Last order, between orders, discount: medians. Churn: mean probability.")


def print_kpis(
    database: Path, segmentation: str | None, months: int, currency: str, console: Console
) -> None:
    """Print what changed between the last as-of dates: of everybody, or of each segment of a segmentation."""
    with databases.opened(database) as connection:
        _check(connection, segmentation)
        wanted = {"segmentation": segmentation or EVERYBODY, "months": months}
        rows = connection.execute(KPIS, wanted).fetchall()
    if not rows:
        raise TablesError(f"{database} has no customers.")
    columns: dict[str, Kind] = {
        "As of": str,
        "Customers": _count,
        "New": _count,
        "Stayed": percent,
        "Up": _count,
        "Down": _count,
        "Won back": _count,
        "Churned": _count,
        "Revenue": _count,
        "Orders": _count,
        "Per order": _count,
        "Repeat": percent,
    }
    left_out = WIDE if segmentation else OF_SEGMENTS
    places = [place for place, name in enumerate(columns, start=1) if name not in left_out]
    shown = {name: kind for name, kind in columns.items() if name not in left_out}
    table = [(row[0], *(row[place] for place in places)) for row in rows]
    console.print(f"Since the as-of date before, amounts in {currency}")
    console.print(_table(shown, table, titled=segmentation is not None))
    latest, before = max(((row[1], row[-1]) for row in rows), key=lambda dates: dates[0])
    if before:
        console.print(f"{latest}: since {before}. Repeat: share of the buyers who had ordered before.")


def _check(connection: duckdb.DuckDBPyConnection, segmentation: str | None) -> None:
    query = "select distinct segmentation from marts.segment_kpis where segmentation <> '(all)' order by 1"
    names = [name for (name,) in connection.execute(query).fetchall()]
    if segmentation is None or segmentation in names:
        return
    raise TablesError(unknown("segmentation", segmentation, names))


def _table(columns: dict[str, Kind], rows: list[tuple[Any, ...]], titled: bool) -> Table:
    """Return rows as a table in sections by their first value, which is shown above them if titled."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for heading, kind in columns.items():
        table.add_column(
            heading,
            justify="left" if kind is str else "right",
            no_wrap=kind is not str,
            overflow="fold",
        )
    previous = None
    for section, *values in rows:
        if section != previous:
            if previous is not None:
                table.add_section()
            if titled:
                table.add_row(str(section), style="bold")
        shown = zip(columns.values(), values, strict=True)
        table.add_row(*("-" if value is None else kind(value) for kind, value in shown))
        previous = section
    return table


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _days(days: float) -> str:
    return f"{days:,.0f} d"
