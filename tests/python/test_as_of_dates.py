"""Everything is as known on its as-of date: what comes later changes nothing, and the grid is as promised."""

import re
from datetime import date, timedelta
from pathlib import Path

import duckdb
import jinja2
import pandas as pd
import pytest
from conftest import PROJECT
from engine import Engine, compiled

CUT = date(2026, 3, 31)
DEMO = Path(__file__).parents[2] / "seeds" / "demo"
DATED = {
    "orders": "ordered_at",
    "customers": "valid_from",
    "events": "occurred_at",
    "consents": "changed_at",
}
NOT_YET = f"coalesce(try_cast(returned_at as date) > date '{CUT}', false)"
UNDONE = f"""
    case when {NOT_YET} then '0' else returned_amount end as returned_amount,
    case when {NOT_YET} and lower(trim(status)) = 'returned' then 'completed' else status end as status,
    case when {NOT_YET} then null else returned_at end as returned_at
"""
LEARNED = ("score_cluster", "score_expectations", "score_value")
IN_COMMON = f"between date '2025-06-30' and date '{CUT}'"


@pytest.fixture(scope="module")
def cut_demo(project, tmp_path_factory):
    """The demo as it would have been delivered on the day of the cut."""
    folder = tmp_path_factory.mktemp("cut")
    inputs = {}
    for path in DEMO.glob("*.csv.gz"):
        name = path.name.removesuffix(".csv.gz")
        if name == "truth":
            continue
        rows = f"read_csv('{path}', all_varchar = true)"
        columns = f"* replace ({UNDONE})" if name == "orders" else "*"
        until = (
            f"coalesce(try_cast({DATED[name]} as date) <= date '{CUT}', true)" if name in DATED else "true"
        )
        inputs[name] = {"file": str(folder / f"{name}.csv")}
        duckdb.sql(f"copy (select {columns} from {rows} where {until}) to '{folder / name}.csv'")
    return project.run(
        folder,
        "--select",
        "+customer_features",
        "+fit_outcome_rates",
        "sampled_buyers",
        inputs=inputs,
    )


@pytest.fixture(scope="module")
def learned_columns(project) -> list[str]:
    """What comes from models: they are fitted on dates of the grid, and the two grids begin apart."""
    models = {node.name: node for node in project.manifest.nodes.values() if node.resource_type == "model"}
    names = [name for model in LEARNED for name in models[model].columns]
    return [name for name in names if name not in ("customer_id", "as_of_date", "fitted_on")]


def test_the_cut_took_away_orders_events_and_returns(cut_demo, demo):
    sizes = """
        select
            (select count(*) from staging.stg_orders),
            (select count(*) from staging.stg_events),
            (select count(*) from staging.stg_orders where returned_amount > 0),
            (select max(ordered_on) from staging.stg_orders)
    """
    before, after = cut_demo.rows(sizes)[0], demo.rows(sizes)[0]
    assert before[-1] <= CUT < after[-1]
    assert all(less < more for less, more in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("relation", "keys", "dates"),
    [
        ("segments.customer_features", "as_of_date, customer_id", 10),
        ("scores.score_lifetime", "as_of_date, customer_id, fitted_on", 10),
        ("features.sampled_buyers", "as_of_date, customer_id", 10),
        ("fits.fit_rfm_cutoffs", "fitted_on, metric", 10),
        ("fits.fit_interpurchase", "fitted_on, category", 10),
        ("fits.fit_outcome_rates", "fitted_on, horizon_days, recency_score, frequency_score", 4),
    ],
)
def test_nothing_known_on_a_date_changes_when_later_rows_are_added(
    cut_demo, demo, learned_columns, relation: str, keys: str, dates: int
):
    when = keys.partition(",")[0]
    # a date is also scored by the fits of the next one, which the cut took away
    fitted = f"and fitted_on <= date '{CUT}'" if "fitted_on" in keys else ""
    query = f"select * from {relation} where {when} {IN_COMMON} {fitted} order by {keys}"
    then, now = cut_demo.frame(query), demo.frame(query)
    assert then[when].nunique() == dates
    if relation == "segments.customer_features":
        then, now = then.drop(columns=learned_columns), now.drop(columns=learned_columns)
    pd.testing.assert_frame_equal(then, now, check_exact=True)


def test_what_is_learned_by_a_date_changes_no_more_than_that(cut_demo, demo, learned_columns):
    """At the cut both grids have all the dates that its fits look at; clusters may be numbered anew."""
    query = (
        f"select {', '.join(learned_columns)} from segments.customer_features where as_of_date = date '{CUT}'"
    )
    then, now = (outcome.frame(f"{query} order by customer_id") for outcome in (cut_demo, demo))
    assert then["expected_orders_365d"].notna().sum() > 1000
    assert then["next_order_probability"].notna().sum() > 1000
    renamed = pd.crosstab(then.pop("nearest_cluster"), now.pop("nearest_cluster"))
    assert ((renamed > 0).sum() == 1).all()
    pd.testing.assert_frame_equal(then, now, check_exact=True)


@pytest.fixture(scope="module")
def grid(project, tmp_path_factory):
    """The as-of dates of a shop with one order on each of these days."""
    folder = tmp_path_factory.mktemp("grid")
    engines: dict[str, Engine] = {}

    def build(*days: str, **variables: object) -> list[str]:
        under = repr(variables)
        if under not in engines:
            engines[under] = compiled(project, folder, "+as_of_dates", inputs=("orders",), **variables)
        orders = [{"customer_id": "a", "ordered_at": day, "amount": "1"} for day in days]
        engines[under].compute({"orders": orders})
        dates = engines[under].rows(
            "select as_of_date, previous_as_of_date, is_latest from staging.as_of_dates order by as_of_date"
        )
        assert [latest for _, _, latest in dates] == [False] * (len(dates) - 1) + [True]
        assert [previous for _, previous, _ in dates] == [None, *(day for day, _, _ in dates[:-1])]
        return [str(day) for day, _, _ in dates]

    return build


def test_the_grid_is_thirteen_month_ends_and_the_latest_date(grid):
    dates = grid("2023-05-05", "2024-03-10 12:30:00")
    assert dates[0] == "2023-02-28"
    assert dates[-2:] == ["2024-02-29", "2024-03-10"]
    assert len(dates) == 14


@pytest.mark.parametrize(
    "latest", ["2024-02-29", "2024-03-01", "2025-02-28", "2025-03-31", "2024-12-30", "2024-12-31"]
)
def test_the_next_year_of_the_first_date_is_over_on_the_latest(grid, latest: str):
    first, *_, last = grid("2020-05-05", latest)
    assert date.fromisoformat(first) + timedelta(365) <= date.fromisoformat(last)


def test_a_shorter_history_has_fewer_month_ends(grid):
    assert grid("2023-05-05", "2024-03-10", history_months=3) == [
        "2023-12-31",
        "2024-01-31",
        "2024-02-29",
        "2024-03-10",
    ]


def test_a_latest_date_at_the_end_of_a_month_stands_once(grid):
    assert grid("2024-03-31", history_months=1) == ["2024-02-29", "2024-03-31"]


@pytest.mark.parametrize("given", ["2023-12-15", "2024-06-01"])
def test_a_given_date_is_the_latest_whether_or_not_there_is_data(grid, given: str):
    assert grid("2023-05-05", "2024-03-10", history_months=1, as_of_date=given)[-1] == given


@pytest.mark.parametrize(
    "typing_errors", [["2099-03-10"], ["2099-03-10", "2099-03-11"], ["0024-03-10"], ["soon"]]
)
def test_a_typing_error_does_not_move_the_latest_date(grid, typing_errors: list[str]):
    days = [f"2024-{month:02}-10" for month in range(1, 7)]
    assert grid(*days, *typing_errors, history_months=1) == ["2024-05-31", "2024-06-10"]


@pytest.mark.parametrize("never", ["infinity", "-infinity", "290000-01-01"])
def test_a_date_outside_of_all_calendars_does_not_move_the_latest_date(grid, never: str):
    assert grid("2024-05-09", "2024-06-10", never, history_months=1) == ["2024-05-31", "2024-06-10"]


def test_a_mart_of_another_date_than_the_others_fails_a_data_test():
    """Built to February, and then as of 15 December: December's revenue stood in two rows of the KPIs."""
    written = (PROJECT / "tests" / "marts" / "marts_are_of_one_date.sql").read_text(encoding="utf-8")
    query = jinja2.Template(written).render(ref=str)
    marts = [*re.findall(r"from (\w+)\n\s+union all", query), "cluster_profiles"]
    assert {"customers", "segment_kpis", "segment_membership"} <= set(marts)
    with duckdb.connect() as connection:
        connection.execute(
            "create table as_of_dates as select date '2025-12-15' as as_of_date, true as is_latest"
        )
        for mart in marts:
            connection.execute(f"create table {mart} as select date '2025-12-15' as as_of_date")
        assert connection.execute(query).fetchall() == []
        connection.execute("insert into segment_kpis values ('2025-12-31'), ('2026-02-20')")
        (found,) = connection.execute(query).fetchall()
        assert found == ("segment_kpis", date(2026, 2, 20), date(2025, 12, 15))
