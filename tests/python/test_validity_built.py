"""Validity, hypotheses and outlook of a build, counted again customer by customer."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from conftest import Outcome
from sklearn.metrics import adjusted_mutual_info_score, cohen_kappa_score


def value(demo: Outcome, segmentation: str, segment: str, criterion: str) -> tuple:
    (row,) = demo.rows(f"""
        select value, lower, upper, verdict, note from marts.segmentation_validity
        where (segmentation, segment, criterion) = ('{segmentation}', '{segment}', '{criterion}')
    """)
    return row


@pytest.fixture(scope="session")
def judged_on(demo: Outcome) -> object:
    """The latest as-of date whose next 90 days are over."""
    return demo.rows("""
        select max(as_of_date) from staging.as_of_dates
        where as_of_date + 90 <= (select max(as_of_date) from staging.as_of_dates)
    """)[0][0]


@pytest.fixture(scope="session")
def came(demo: Outcome, judged_on) -> pd.DataFrame:
    """What every customer did in the 90 days after that date, straight from the orders, with the segments."""
    frame = demo.frame(f"""
        with placed as (
            select
                customer_id,
                count(*) as placed,
                sum(amount) as amount,
                count(*) filter (is_fully_returned and returned_on <= date '{judged_on}' + 90) as sent_back
            from staging.stg_orders
            where is_counted and ordered_on > date '{judged_on}' and ordered_on <= date '{judged_on}' + 90
            group by 1
        ),

        returned as (
            select
                customer_id,
                sum(returned_amount) as amount,
                count(*) filter (is_fully_returned and ordered_on <= date '{judged_on}') as earlier
            from staging.stg_orders
            where is_counted and returned_on > date '{judged_on}' and returned_on <= date '{judged_on}' + 90
            group by 1
        )

        select
            segments.*,
            coalesce(placed.placed, 0) - coalesce(placed.sent_back, 0)
            - coalesce(returned.earlier, 0) as orders,
            coalesce(placed.amount, 0) - coalesce(returned.amount, 0) as revenue,
            coalesce(placed.placed, 0) > 0 as has_ordered
        from segments.segment_history as segments
        left join placed using (customer_id)
        left join returned using (customer_id)
        where segments.as_of_date = date '{judged_on}'
    """)
    return frame.astype({"orders": float, "revenue": float, "has_ordered": bool})


@pytest.mark.parametrize("segmentation", ["rfm", "lifecycle", "geographic"])
def test_the_effect_on_the_next_orders_and_revenue_is_that_of_the_customers_one_by_one(
    demo, came, segmentation
):
    looked_at = came[came[segmentation].notna()]
    for outcome in ("orders", "revenue"):
        largest = np.quantile(came.loc[came["has_ordered"], outcome], 0.99)
        largest = np.ceil(largest) if outcome == "orders" else largest
        values = looked_at[outcome].clip(-largest, largest)
        means = values.groupby(looked_at[segmentation]).transform("mean")
        eta2 = 1 - ((values - means) ** 2).sum() / ((values - values.mean()) ** 2).sum()
        customers, segments = len(values), looked_at[segmentation].nunique()
        truth = max(1 - (1 - eta2) * (customers - 1) / (customers - segments), 0)
        found, lower, upper, *_ = value(demo, segmentation, "(all)", f"differentiable_{outcome}")
        assert found == pytest.approx(truth, abs=1e-4)
        assert lower <= found <= upper


def test_cramers_v_is_that_of_the_table_of_who_ordered(demo, came):
    table = pd.crosstab(came["lifecycle"], came["has_ordered"]).to_numpy(float)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    phi2 = ((table - expected) ** 2 / expected).sum() / table.sum()
    truth = np.sqrt((phi2 - (len(table) - 1) / (table.sum() - 1)) / (1 - 1 / (table.sum() - 1)))
    assert value(demo, "lifecycle", "(all)", "differentiable_retention")[0] == pytest.approx(truth)


def test_claims_are_measured_on_the_customers_as_they_were(demo, came):
    outcomes = {
        "orders_next_90d": "orders",
        "revenue_next_90d": "revenue",
        "retention_next_90d": "has_ordered",
    }
    claims = demo.frame(
        "select * from marts.hypotheses where segmentation in ('rfm', 'lifecycle', 'behaviour')"
    )
    assert len(claims) > 20
    for claim in claims.itertuples():
        labels = came[claim.segmentation].fillna("" if claim.segmentation == "behaviour" else "none")
        within = labels.map(lambda label, claim=claim: claim.segment in label.split("|"))
        others = ~within & (labels != "none") if claim.versus == "population" else labels == claim.versus
        measured = came[outcomes[claim.metric]].astype(float)
        assert (claim.customers, claim.other_customers) == (within.sum(), others.sum())
        assert claim.difference == pytest.approx(measured[within].mean() - measured[others].mean())


def test_claims_see_nothing_later_than_the_date_and_windows_share_no_day(demo, judged_on):
    windows = demo.rows(
        "select as_of_date, outcome_until from segments.judged_dates where outcome_window > 0 order by 1"
    )
    assert windows[-1][0] == judged_on
    assert all(until <= later for (_, until), (later, _) in pairwise(windows))
    different = demo.rows("""
        select count(*) from segments.judged_customers as judged
        inner join segments.segment_history as published using (customer_id, as_of_date)
        where judged.rfm is distinct from published.rfm or judged.cluster is distinct from published.cluster
    """)
    assert different == [(0,)]


def test_redundancy_and_stability_are_those_of_the_customers_one_by_one(demo):
    published = demo.frame(
        "select customer_id, as_of_date, rfm, lifecycle, loyalty_tier from segments.segment_history"
    )
    latest = published[published["as_of_date"] == published["as_of_date"].max()].dropna()
    truth = max(
        adjusted_mutual_info_score(latest["loyalty_tier"], latest[other]) for other in ("rfm", "lifecycle")
    )
    note = value(demo, "loyalty_tier", "(all)", "redundant")[4]
    assert f"{truth:.2f}" in note
    ends = sorted(date for date in published["as_of_date"].unique() if pd.Timestamp(date).is_month_end)
    kappas = []
    for before, now in pairwise(ends):
        both = published[published["as_of_date"] == before].merge(
            published[published["as_of_date"] == now], on="customer_id", suffixes=("_before", "_now")
        )
        both = both.dropna(subset=["rfm_before", "rfm_now"])
        kappas.append(cohen_kappa_score(both["rfm_before"], both["rfm_now"]))
    assert value(demo, "rfm", "(all)", "stable")[0] == pytest.approx(np.mean(kappas))


def test_who_is_placed_for_lack_of_knowledge_is_not_measured(demo):
    (known,) = demo.rows(
        "select avg((city_size is not null)::int) from segments.customer_features "
        "where as_of_date = (select max(as_of_date) from staging.as_of_dates)"
    )
    assert value(demo, "geographic", "(all)", "measurable")[0] == pytest.approx(known[0])


def test_shares_of_the_outlook_sum_to_one_and_its_arithmetic_follows_from_the_published_moves(demo):
    for months in (3, 6, 12):
        sums = demo.rows(
            f"select sum(expected_share_{months}m) from marts.segment_outlook group by segmentation"
        )
        assert {round(total, 9) for (total,) in sums if total is not None} == {1.0}
    (stayed,) = demo.rows("""
        select sum(customers) filter (to_segment = 'champions') / sum(customers)
        from marts.segment_migration
        where segmentation = 'rfm' and from_segment = 'champions' and as_of_date = last_day(as_of_date)
    """)
    (found,) = demo.rows(
        "select share_staying from marts.segment_outlook where (segmentation, segment) = ('rfm', 'champions')"
    )
    assert found == pytest.approx(stayed)


def test_every_verdict_has_a_value_or_a_reason(demo):
    silent = "value is null and (verdict <> 'not known' or note is null)"
    assert demo.rows(f"select * from marts.segmentation_validity where {silent}") == []
    assert demo.rows("select * from marts.hypotheses where verdict <> 'supported' and note is null") == []
    assert demo.rows("select * from marts.segment_outlook where verdict is null and note is null") == []
