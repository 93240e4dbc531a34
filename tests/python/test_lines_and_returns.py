"""Orders as companies have them: lines, returns and credit notes, orders of nobody known."""

import re
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal

import kept
import pytest
from engine import Engine, compiled
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

AS_OF = date(2024, 6, 15)
VARIABLES = {"as_of_date": AS_OF.isoformat(), "history_months": 2}
drawn = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=kept.examples(4, 40),
)
SELECTED = ["+identified_revenue", "+input_reconciliation", "+features_rfm", "+stg_order_items"]


@pytest.fixture(scope="module")
def lines_engine(project, tmp_path_factory) -> Engine:
    folder = tmp_path_factory.mktemp("lines")
    names = {name: name for name in ("order_id", "customer_id", "ordered_at", "product_id", "quantity")}
    columns = names | {"unit_price": "unit_price", "amount": "(null)", "returned_amount": "(null)"}
    orders = {"grain": "line", "returns": "negative", "columns": columns}
    return compiled(project, folder, *SELECTED, inputs=("orders",), orders=orders, **VARIABLES)


@pytest.fixture(scope="module")
def returns_engine(project, tmp_path_factory) -> Engine:
    folder = tmp_path_factory.mktemp("returns")
    columns = {"returned_amount": "(null)"}
    return compiled(
        project, folder, *SELECTED, inputs=("orders", "returns"), orders={"columns": columns}, **VARIABLES
    )


def moment(days_ago: int) -> str:
    return str(datetime(AS_OF.year, AS_OF.month, AS_OF.day, 12) - timedelta(days_ago))


def cents(amount: int) -> str:
    return str(Decimal(amount) / 100)


LINE = st.fixed_dictionaries(
    {
        "order_id": st.integers(0, 5).map("o{}".format),
        "product_id": st.sampled_from(["tea", "cup", None]),
        "quantity": st.integers(-3, 6).map(str),
        "unit_price": st.integers(0, 5000).map(cents),
    }
)
RETURN = st.fixed_dictionaries(
    {
        "order_id": st.one_of(st.none(), st.integers(0, 9).map("o{}".format)),
        "customer_id": st.sampled_from([None, "a", "b", "c"]),
        "returned_at": st.integers(0, 90).map(moment),
        "amount": st.integers(1, 9000).map(cents),
    }
)


@drawn
@given(lines=st.lists(LINE, min_size=1, max_size=30))
def test_revenue_of_lines_is_the_sum_over_the_file_whoever_ordered_and_whatever_came_back(
    lines_engine, lines
):
    whose = {f"o{number}": [None, "a", "b"][number % 3] for number in range(6)}
    rows = [
        line | {"customer_id": whose[line["order_id"]], "ordered_at": moment(10 * int(line["order_id"][1:]))}
        for line in lines
    ]
    worth = [Decimal(line["quantity"]) * Decimal(line["unit_price"]) for line in rows]
    sold = {line["order_id"] for line in rows if int(line["quantity"]) >= 0}
    by_customer: dict = defaultdict(Decimal)
    for line, amount in zip(rows, worth, strict=True):
        by_customer[line["customer_id"]] += amount

    lines_engine.compute({"orders": rows}, *(name[1:] for name in SELECTED))

    shop = lines_engine.rows(
        "select sum(orders), sum(revenue), sum(identified_revenue) from marts.identified_revenue"
    )
    assert shop == [(len(sold), sum(worth), sum(worth) - by_customer.pop(None, Decimal(0)))]
    features = lines_engine.rows(
        f"select customer_id, lifetime_revenue from features.features_rfm where as_of_date = '{AS_OF}'"
    )
    assert dict(features) == dict(by_customer)
    assert lines_engine.rows(
        "select rows_in, rows_accepted from marts.input_reconciliation where input = 'orders'"
    ) == [(len(rows), len(rows))]
    items = lines_engine.rows("select count(*) from staging.stg_order_items")
    assert items == [(sum(int(line["quantity"]) >= 0 and line["product_id"] is not None for line in rows),)]


@drawn
@given(amounts=st.lists(st.integers(0, 9000), min_size=1, max_size=6), returns=st.lists(RETURN, max_size=12))
def test_returns_reduce_the_revenue_of_their_day_whether_or_not_their_order_is_there(
    returns_engine, amounts, returns
):
    whose = {f"o{number}": [None, "a", "b"][number % 3] for number in range(len(amounts))}
    orders = [
        {"order_id": order, "customer_id": customer, "ordered_at": moment(95), "amount": cents(amount)}
        for (order, customer), amount in zip(whose.items(), amounts, strict=True)
    ]
    by_customer: dict = defaultdict(Decimal)
    for order in orders:
        by_customer[order["customer_id"]] += Decimal(order["amount"])
    paid_back: dict = defaultdict(Decimal)
    for row in returns:
        by_customer[whose.get(row["order_id"]) or row["customer_id"]] -= Decimal(row["amount"])
        paid_back[row["order_id"]] += Decimal(row["amount"])
    kept_orders = sum(
        order["customer_id"] is not None
        and not (Decimal(order["amount"]) > 0 and paid_back[order["order_id"]] >= Decimal(order["amount"]))
        for order in orders
    )

    returns_engine.compute({"orders": orders, "returns": returns}, *(name[1:] for name in SELECTED))

    shop = returns_engine.rows("select sum(revenue), sum(identified_revenue) from marts.identified_revenue")
    assert shop == [
        (sum(by_customer.values()), sum(by_customer.values()) - by_customer.pop(None, Decimal(0)))
    ]
    features = returns_engine.rows(
        "select customer_id, lifetime_revenue, lifetime_orders from features.features_rfm "
        f"where as_of_date = '{AS_OF}'"
    )
    assert {customer: revenue for customer, revenue, _ in features} == dict(by_customer)
    assert sum(count for *_, count in features) == kept_orders
    assert returns_engine.rows(
        "select rows_in, rows_accepted from marts.input_reconciliation where input = 'returns'"
    ) == [(len(returns), len(returns))]


SHARED = ["Invoice,Customer,Date,Total", *(f"1,A,2026-01-05,{amount}" for amount in (10, 20, 30))]
SHARED += [f"2,B,2026-02-05,{amount}" for amount in (10, 20, 30)]
COLUMNS = {"order_id": "Invoice", "customer_id": "Customer", "ordered_at": "Date", "amount": "Total"}


def given_orders(mapping: dict) -> dict:
    """The variables for orders of a mapping, with the usual limit to what may be lost."""
    return {"inputs": {"orders": mapping}, "fail_if_rejected": 0.2}


def test_rows_that_share_an_order_and_differ_in_amount_stop_the_build_and_one_line_mends_it(
    project, tmp_path, write_csv
):
    orders = {"file": write_csv(SHARED), "columns": COLUMNS}
    outcome = project.dbt(tmp_path, "run", "--select", "+stg_orders", **given_orders(orders))
    assert not outcome.success
    assert "2 of 2 order ids, such as '1'. These look like lines" in outcome.message
    assert re.search(r"\n +orders:\n +grain: line\n", outcome.message)

    lines = orders | {"grain": "line"}
    outcome = project.run(tmp_path, "--select", "+identified_revenue", inputs={"orders": lines})
    assert outcome.rows("select sum(orders), sum(revenue) from marts.identified_revenue") == [(2, 120)]


def test_an_order_id_that_customers_share_stops_the_build(project, tmp_path, write_csv):
    path = write_csv([*SHARED, "2,C,2026-02-06,5"])
    orders = {"file": path, "columns": COLUMNS, "grain": "line"}
    outcome = project.dbt(tmp_path, "run", "--select", "+stg_orders", **given_orders(orders))
    assert not outcome.success
    assert (
        "inputs.orders.columns.order_id is used again: 1 of 2 order ids have rows of several"
        in outcome.message
    )


def test_orders_of_nobody_alone_stop_the_build(project, tmp_path, write_csv):
    path = write_csv(["customer_id,ordered_at,amount", ",2026-01-05,100", "NULL,2026-01-06,100"])
    outcome = project.dbt(tmp_path, "run", "--select", "+stg_orders", inputs={"orders": {"file": path}})
    assert not outcome.success
    assert "inputs.orders.columns.customer_id is empty in all rows that could be used" in outcome.message


def test_bad_rows_of_returns_are_rejected_with_their_reasons(project, tmp_path, write_csv):
    orders = write_csv(["order_id,customer_id,ordered_at,amount", "1,a,2026-01-05,100"])
    returns = write_csv(
        [
            "return_id,order_id,returned_at,amount",
            "r1,1,2026-01-05,10",
            "r1,1,2026-01-05,10",
            "r2,1,2026-01-05,-10",
            "r3,1,5.1.2026,10",
            "r4,1,2026-01-05,",
            "r5,1,2026-02-05,10",  # later than all orders: not known yet
        ],
        "returns.csv",
    )
    outcome = project.run(
        tmp_path,
        *("--select", "+input_reconciliation", "+rejected_rows"),
        inputs={"orders": {"file": orders}, "returns": {"file": returns}},
    )
    assert outcome.rows("select row_key, reasons from marts.rejected_rows order by all") == [
        ("r1", "copy:return_id"),
        ("r2", "negative:amount"),
        ("r3", "wrong_type:returned_at"),
        ("r4", "missing:amount"),
    ]
    assert outcome.rows("select amount from staging.stg_returns") == [(10,), (10,)]
    assert outcome.rows(
        "select rows_in, rows_accepted, rows_rejected from marts.input_reconciliation where input = 'returns'"
    ) == [(6, 2, 4)]


def test_credit_notes_among_orders_are_returns_and_several_under_one_number_are_several(
    project, tmp_path, write_csv
):
    path = write_csv(
        [
            "order_id,customer_id,ordered_at,amount",
            "1,a,2026-01-05,100",
            "1,a,2026-01-20,-30",
            "1,a,2026-02-20,-70",
            "1,a,2026-02-20,-70",  # the same credit note once more
            "C9,b,2026-02-01,-5",
            "2,,2026-02-02,40",
            "2,,2026-02-03,-40",
            "3,a,2026-03-01,1",
        ]
    )
    outcome = project.run(
        tmp_path,
        *("--select", "+identified_revenue", "+input_reconciliation", "+rejected_rows", "+features_rfm"),
        inputs={"orders": {"file": path, "returns": "negative"}},
    )
    assert outcome.rows(
        "from staging.stg_returns select order_id, customer_id, amount, told_by order by all"
    ) == [
        ("1", "a", 30, "credit_note"),
        ("1", "a", 70, "credit_note"),
        ("2", None, 40, "credit_note"),
        ("C9", "b", 5, "credit_note"),
    ]
    assert outcome.rows("select row_key, reasons from marts.rejected_rows") == [("1", "copy:order_id")]
    assert outcome.rows(
        "select rows_in, rows_accepted, rows_rejected, is_reconciled, loses_much "
        "from marts.input_reconciliation where input = 'orders'"
    ) == [(8, 7, 1, True, False)]
    # the first of January's orders was kept until the second credit note took all of it back
    assert outcome.rows(
        "select as_of_date::varchar, lifetime_orders, lifetime_revenue from features.features_rfm "
        "where customer_id = 'a' and as_of_date >= date '2026-01-31' order by 1"
    ) == [("2026-01-31", 1, 70), ("2026-02-28", 0, 0), ("2026-03-01", 1, 1)]


def test_values_are_read_as_the_mapping_declares_them_and_no_other_way(project, tmp_path):
    (tmp_path / "orders.csv").write_bytes(
        """주문번호;고객;일시;금액
1;홍길동;5.1.2026 14:02;1.234,50
2;뷁;31.12.2025;"12,5"
3;c;2026-01-06 10:00:00;1 000
4;d;31.02.2026;5
5;e;01/06/2026;5
6;f;5.1.26;5
7;g;6.1.2026;12.5
8;h;6.1.2026;1.23.456
""".encode("cp949")
    )
    orders = {
        "file": str(tmp_path / "orders.csv"),
        "columns": {"order_id": "주문번호", "customer_id": "고객", "ordered_at": "일시", "amount": "금액"},
        **{"encoding": "cp949", "dates": "dd.mm.yyyy", "decimal": ","},
    }
    outcome = project.run(tmp_path, "--select", "+rejected_rows", inputs={"orders": orders})
    assert outcome.rows(
        "select order_id, customer_id, ordered_at::varchar, amount from staging.stg_orders order by 1"
    ) == [
        ("1", "홍길동", "2026-01-05 14:02:00", Decimal("1234.5")),
        ("2", "뷁", "2025-12-31 00:00:00", Decimal("12.5")),
        ("3", "c", "2026-01-06 10:00:00", 1000),
    ]
    assert dict(outcome.rows("select row_key, reasons from marts.rejected_rows")) == {
        **dict.fromkeys("456", "wrong_type:ordered_at"),
        **dict.fromkeys("78", "wrong_type:amount"),
    }


def test_american_dates_and_thousands_in_a_western_encoding(project, tmp_path):
    (tmp_path / "orders.csv").write_bytes(
        b"customer_id,ordered_at,amount,channel\n"
        b'a,12/1/10 8:26,"1,234.50",Caf\xe9 \x80\n'
        b"b,1/13/10 1:05 PM,5,\n"
    )
    orders = {"file": str(tmp_path / "*.csv"), "encoding": "cp1252", "dates": ["m/d/yy"], "decimal": "."}
    outcome = project.run(tmp_path, "--select", "+rejected_rows", inputs={"orders": orders})
    assert outcome.rows("select ordered_at::varchar, amount, channel from staging.stg_orders order by 1") == [
        ("2010-01-13 13:05:00", 5, None),
        ("2010-12-01 08:26:00", Decimal("1234.5"), "Café €"),
    ]


def test_a_byte_that_an_encoding_does_not_have_is_said_with_its_line(project, tmp_path):
    (tmp_path / "orders.csv").write_bytes(
        b"customer_id,ordered_at,amount\na,2026-01-01,1\n\x81b,2026-01-01,1\n"
    )
    orders = {"file": str(tmp_path / "orders.csv"), "encoding": "cp1252"}
    outcome = project.dbt(tmp_path, "run", inputs={"orders": orders})
    assert not outcome.success
    assert "orders.csv is something else: line 3, byte 0x81" in outcome.message
