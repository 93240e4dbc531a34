"""Sixteen customers, one for each odd thing that an order can be; all numbers worked out with a pencil."""

import pytest

# A orders 50 on the tenth of each month, from January 2025 to February 2026
MONTHLY = [f"A{n},A,{2025 + n // 12}-{n % 12 + 1:02}-10 10:00,50,,," for n in range(14)]
ORDERS = """
B1,B,2025-03-05 09:00,100,,,
B2,B,2025-03-05 18:00,20,,,
C1,C,2025-05-05 09:00,100,,,cancelled
D1,D,2025-06-15 09:00,0,,,
E1,E,2025-04-15 09:00,200,200,2025-07-03,
F1,F,2024-01-15 09:00,300,100,2026-02-05,
G1,G,2025-01-15 09:00,80,,,
G2,G,2026-01-20 09:00,90,,,
H1,H,2025-08-15 09:00,70,,,returned
I1,I,2025-09-10 09:00,40,45,2025-09-20,
I2,I,2025-10-10 09:00,60,,,
J1,J,2025-11-10 09:00,40,10,2025-11-01,
K1,K,2026-02-20 00:00,30,,,
L1,L,2026-02-01 23:59,33,,,pending
M1,M,2024-02-29 12:00,10,,,
M2,M,2025-02-28 12:00,10,,,
N1,N,2025-02-20 12:00,10,,,
""".strip().splitlines()
HEADER = "order_id,customer_id,ordered_at,amount,returned_amount,returned_at,status"


@pytest.fixture(scope="module")
def built(project, tmp_path_factory):
    """The shop as of 2026-02-20, its last day with an order."""
    folder = tmp_path_factory.mktemp("by_hand")
    (folder / "orders.csv").write_text("\n".join([HEADER, *MONTHLY, *ORDERS]))
    (folder / "customers.csv").write_text("customer_id,created_at\nP,2025-12-01\nQ,\nA,2024-12-31\n")
    files = {name: {"file": str(folder / f"{name}.csv")} for name in ("orders", "customers")}
    return project.build(
        folder,
        *("--exclude-resource-type", "test", "--select", "+segment_kpis", "+customers"),
        inputs=files,
        segmentations=["lifecycle"],
    )


def test_what_each_customer_has_ordered_and_paid(built) -> None:
    """Lifetime orders and revenue, and those after 2025-02-20."""
    rows = built.rows(
        "select customer_id, lifetime_orders, lifetime_revenue::double, orders_12m, revenue_12m::double"
        " from marts.customers"
    )
    assert {customer: numbers for customer, *numbers in rows} == {
        "A": [14, 700, 12, 600],
        "B": [2, 120, 2, 120],  # two orders of one day
        "C": [0, 0, 0, 0],  # cancelled
        "D": [1, 0, 1, 0],  # an order of nothing is one
        "E": [0, 0, 0, 0],  # sent back whole
        "F": [1, 200, 0, -100],  # ordered two years ago, paid back in the last month
        "G": [2, 170, 1, 90],
        "H": [0, 0, 0, 0],  # returned, nobody says when: it never counted
        "I": [1, 60, 1, 60],  # no more is taken off than was paid
        "J": [1, 30, 1, 30],  # paid back before it was ordered: on the day of the order
        "K": [1, 30, 1, 30],  # on the latest date, at midnight
        "L": [1, 33, 1, 33],  # pending
        "M": [2, 20, 1, 10],
        "N": [1, 10, 0, 0],  # a year ago to the day is not within twelve months
        "P": [0, 0, 0, 0],
        "Q": [0, 0, 0, 0],
    }


def test_what_each_month_brought(built) -> None:
    """Customers acquired; orders placed less those sent back whole; revenue less what was paid back."""
    rows = built.rows(
        "select as_of_date::varchar, acquired, undated, orders, revenue::double from marts.segment_kpis"
        " where segmentation = '(all)' order by 1"
    )
    assert rows == [
        ("2025-01-31", None, None, None, None),  # A, F, G and M were there before
        ("2025-02-28", 1, 0, 3, 70),  # N; A, M and N order
        ("2025-03-31", 1, 0, 3, 170),  # B
        ("2025-04-30", 1, 0, 2, 250),  # E, before anything was sent back
        ("2025-05-31", 1, 0, 1, 50),  # C has only cancelled, and is a customer
        ("2025-06-30", 1, 0, 2, 50),  # D
        ("2025-07-31", 0, 0, 0, -150),  # A orders, E sends back 200
        ("2025-08-31", 1, 0, 1, 50),  # H
        ("2025-09-30", 1, 0, 1, 50),  # I, and sends it back
        ("2025-10-31", 0, 0, 2, 110),
        ("2025-11-30", 1, 0, 2, 80),  # J
        ("2025-12-31", 1, 0, 1, 50),  # P registers
        ("2026-01-31", 0, 0, 2, 140),  # A and G
        ("2026-02-20", 2, 1, 3, 13),  # K and L; nothing dates Q; F is paid back 100
    ]


def test_nobody_churns_or_is_won_back_without_doing_anything(built) -> None:
    """The rhythm of all buyers is the median of two gaps: 31 days from October to December, 198 otherwise.

    So who bought once is late after 93 days or after 594. In January 2026 only G had ordered, and in February
    2025 only M.
    """
    rows = built.rows(
        "select as_of_date::varchar, churned, churned_by_refit, won_back, won_back_by_refit from"
        " marts.segment_kpis where segmentation = '(all)' and churned + churned_by_refit + won_back +"
        " won_back_by_refit > 0 order by 1"
    )
    assert rows == [
        ("2025-02-28", 0, 0, 1, 1),  # M comes back; F by the rhythm
        ("2025-07-31", 1, 0, 0, 0),  # E sends the only order back
        ("2025-09-30", 1, 0, 0, 0),  # F has not ordered for 594 days
        ("2025-10-31", 0, 5, 0, 0),  # G, M, N, B and D
        ("2026-01-31", 0, 0, 1, 4),
    ]
