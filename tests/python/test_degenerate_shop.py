"""A shop in which nearly everybody has ordered once: what can't be told is left out, with its reason."""

from datetime import date, timedelta
from random import Random

import pytest

CUSTOMERS, LAST = 3000, date(2026, 3, 31)


@pytest.fixture(scope="module")
def built(project, tmp_path_factory):
    """Three thousand customers of fourteen months: one in twelve comes back, and nobody has told anything."""
    folder = tmp_path_factory.mktemp("once")
    chance = Random(14)
    orders = ["customer_id,ordered_at,amount"]
    for number in range(CUSTOMERS):
        first = LAST - timedelta(days=number * 7 % 420)
        orders.append(f"c{number},{first},{20 + number % 9}")
        if number % 12 == 0:
            again = first + timedelta(days=90 + int(chance.expovariate(1 / 60)))
            orders += [f"c{number},{again},{18 + number % 13}"] if again <= LAST else []
    (folder / "orders.csv").write_text("\n".join(orders))
    customers = ["customer_id,birth_date,age_band,children,household_size,city,city_population,kind"]
    customers += [f"c{number},,,N/A, ,,-," for number in range(CUSTOMERS)]
    customers[1] = "c0,1990-01-01,,1,3,Ulm,120000,person"
    (folder / "customers.csv").write_text("\n".join(customers))
    files = {name: {"file": str(folder / f"{name}.csv")} for name in ("orders", "customers")}
    return project.build(
        folder,
        *("--exclude-resource-type", "test", "--select"),
        *("+segment_profiles", "+segments", "+customers"),
        inputs=files,
    )


def test_two_orders_make_no_champion_where_frequency_tells_nobody_apart(built) -> None:
    assert [said for said in built.warnings if "frequency_score is empty for all" in said]
    levels = built.rows("select distinct frequency_score, frequency_levels from segments.latest_features")
    assert levels == [(None, 1)]
    found = dict(
        built.rows("select segment, customers from marts.segment_profiles where segmentation = 'rfm'")
    )
    assert {name for name, count in found.items() if count} == {"new", "promising", "hibernating", "lost"}


def test_who_came_once_and_long_ago_is_not_new(built) -> None:
    newest = built.rows("select max(days_since_first_order) from marts.customers where lifecycle = 'new'")
    assert newest[0][0] <= 90
    slow = built.rows(
        "select max(expected_interpurchase_days) from segments.latest_features where lifetime_orders = 1"
    )
    assert slow[0][0] > 100  # the rhythm of the few who came back


def test_segmentations_by_what_nobody_told_are_left_out_with_the_reason(built) -> None:
    reasons = dict(
        built.rows("select segmentation, min(left_out_because) from marts.segments group by segmentation")
    )
    for name in ("demographic", "geographic", "customer_kind"):
        assert "(nearly empty)" in reasons[name], reasons
    published = {name for (name,) in built.rows("select distinct segmentation from marts.segment_profiles")}
    assert not published & {"demographic", "geographic", "customer_kind"}
