"""A vars file to begin with: known exports build as they are, of others columns are guessed."""

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml
from click.testing import CliRunner
from conftest import Outcome, Project

from customer_segmentation.cli import main
from customer_segmentation.new_input import NewInputError, date_form, decimal_mark, vars_for

# two orders of one customer, of which one has two lines, and what each platform has of its own
SHOPIFY = """\
Name,Email,Financial Status,Paid at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total,Discount Code,\
Discount Amount,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Cancelled at,\
Refunded Amount,Source
#1001,Ann@Example.com,paid,2026-01-05 10:23:00 +0100,yes,EUR,59.00,4.90,0.00,63.90,,0.00,\
2026-01-05 10:22:33 +0100,1,Teapot,39.00,T-7,,0.00,web
#1001,Ann@Example.com,,,,,,,,,,,2026-01-05 10:22:33 +0100,2,Cup,10.00,C-2,,,
#1002,ann@example.com,partially_refunded,2026-02-05 10:23:00 +0100,no,EUR,20.00,4.90,0.00,24.90,,0.00,\
2026-02-05 10:22:33 +0100,2,Cup,10.00,C-2,,5.00,web
#1003,bob@example.com,refunded,,no,EUR,20.00,4.90,0.00,24.90,,0.00,2026-02-01 10:22:33 +0100,2,Cup,10.00,C-2,\
2026-02-01 11:00:00 +0100,0.00,web
"""
WOOCOMMERCE = """\
order_id,order_number,order_date,paid_date,status,shipping_total,discount_total,order_total,order_currency,customer_email
101,101,2026-01-05 10:22:33,2026-01-05,completed,4.90,0.00,63.90,EUR,Ann@Example.com
102,102,2026-02-05 10:22:33,2026-02-05,wc-processing,4.90,0.00,24.90,EUR,ann@example.com
103,103,2026-02-01 10:22:33,,cancelled,4.90,0.00,24.90,EUR,bob@example.com
104,104,2026-02-02 10:22:33,2026-02-02,refunded,0.00,0.00,5.00,EUR,ann@example.com
"""
STRIPE = """\
id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Status,Customer ID,Customer Email
ch_1,2026-01-05 10:22,59.00,0.00,eur,true,Paid,cus_a,ann@example.com
ch_2,2026-02-05 10:22,20.00,5.00,eur,true,Paid,cus_a,ann@example.com
ch_3,2026-02-01 10:22,20.00,0.00,eur,false,Failed,cus_b,bob@example.com
ch_4,2026-02-01 10:23,99.00,0.00,usd,true,Paid,cus_a,ann@example.com
"""
CAFE24 = """\
주문번호,주문일시,주문자ID,상품번호,상품명,수량,판매가,주문상태
20260105-0001,2026-01-05 10:22:33,hong,P1,찻주전자,1,"39,000",배송완료
20260105-0001,2026-01-05 10:22:33,hong,P2,컵,2,"10,000",배송완료
20260205-0002,2026-02-05 10:22:33,hong,P2,컵,2,"10,000",구매확정
20260206-0003,2026-02-06 10:22:33,,P2,컵,1,"10,000",배송완료
20260201-0004,2026-02-01 10:22:33,hong,P2,컵,1,"10,000",취소완료
"""
UCI = """\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,T7,TEAPOT WORTH A £,1,1/5/2026 10:22,39.00,17850,United Kingdom
536365,C2,CUP,2,1/5/2026 10:22,10.00,17850,United Kingdom
536366,C2,CUP,2,2/15/2026 10:22,10.00,17850,United Kingdom
C536367,C2,CUP,-1,2/16/2026 10:22,5.00,17850,United Kingdom
536368,C2,CUP,1,2/16/2026 10:30,10.00,,United Kingdom
"""
# {form: (content, encoding, orders and revenue of the shop, revenue of customers)}
EXPORTS = {
    "shopify": (SHOPIFY, "utf-8", (2, 74), 74),
    "woocommerce": (WOOCOMMERCE, "utf-8", (3, 79), 79),
    "stripe": (STRIPE, "utf-8", (2, 74), 74),
    "cafe24": (CAFE24, "cp949", (3, 89_000), 79_000),
    "uci": (UCI, "cp1252", (3, 84), 74),
}
READ = (
    "--select",
    "+identified_revenue",
    "+rejected_rows",
    "+stg_order_items",
    "+stg_products",
    "+stg_consents",
    "+stg_events",
)


def built(project: Project, folder: Path, text: str) -> Outcome:
    """Read what a vars file maps, with the usual limit to what may be lost."""
    variables = yaml.safe_load(text) | {"database": "shop", "fail_if_rejected": 0.2}
    return project.run(folder, *READ, **variables)


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_recognised_and_read_without_an_edit(project, tmp_path, name: str):
    content, encoding, of_shop, identified = EXPORTS[name]
    path = tmp_path / "export.csv"
    path.write_bytes(content.encode(encoding))
    text = vars_for(path, "mine")
    assert "recognised by its columns" in text
    outcome = built(project, tmp_path, text)
    found = outcome.rows(
        "select sum(orders), sum(revenue), sum(identified_revenue) from marts.identified_revenue"
    )
    assert found == [(*of_shop, identified)]
    assert outcome.rows("select * from marts.rejected_rows") == []
    if name in ("shopify", "cafe24", "uci"):
        items = outcome.rows(
            "select order_id, product_id, quantity from staging.stg_order_items where is_counted"
        )
        assert (len(items), sum(quantity for *_, quantity in items)) == (
            (3, 5) if name == "shopify" else (4, 6)
        )


def test_events_of_google_analytics_are_visits_orders_and_items(project, tmp_path):
    path = tmp_path / "events.parquet"
    duckdb.sql(f"""
        copy (
            select
                '20260105' as event_date,
                epoch_us(timestamp '2026-01-05 09:22:33') + number as event_timestamp,
                name as event_name,
                [{{
                    'key': 'ga_session_id',
                    'value': {{'string_value': null::varchar, 'int_value': 77}}
                }}] as event_params,
                'cookie.1' as user_pseudo_id,
                case when number > 2 then 'u1' end as user_id,
                {{'category': 'mobile'}} as device,
                case when number > 1 then
                    [{{
                        'item_id': 'T7', 'item_name': 'Teapot', 'item_category': 'Tea',
                        'quantity': 2, 'price': 29.5
                    }}]
                end as items,
                {{
                    'transaction_id': case name when 'purchase' then 'T1' end,
                    'purchase_revenue': 59.0
                }} as ecommerce
            from (values
                (1, 'session_start'), (2, 'view_item'), (3, 'add_to_cart'), (4, 'purchase'), (5, 'scroll')
            ) as events (number, name)
        ) to '{path}'
    """)
    outcome = built(project, tmp_path, vars_for(path, "mine"))
    assert outcome.rows(
        "select order_id, customer_id, amount, ordered_at::varchar from staging.stg_orders"
    ) == [("T1", "u1", 59, "2026-01-05 10:22:33.000004")]
    assert outcome.rows("select product_id, category, amount from staging.stg_order_items") == [
        ("T7", "Tea", 59)
    ]
    assert outcome.rows(
        "select customer_id, event_type, device from staging.stg_events order by occurred_at"
    ) == [
        ("cookie.1", "visit", "mobile"),
        ("cookie.1", "view", "mobile"),
        ("u1", "add_to_cart", "mobile"),
        ("u1", "purchase", "mobile"),
    ]
    assert outcome.rows("select * from marts.rejected_rows") == []


def test_of_an_unknown_file_columns_are_guessed_and_what_is_not_sure_is_marked(project, tmp_path):
    path = tmp_path / "belege.csv"
    path.write_bytes(
        "Beleg-Nr;Kunde;Kunden-Nr;Datum;Betrag\n"
        "1;Müller;K1;31.12.2025;1.234,50\n"
        "2;Lüders;K2;1.2.2026;12,00\n"
        "3;Lüders;K2;3.2.2026;-12,00\n".encode("cp1252")
    )
    text = vars_for(path, "mine")
    marked = {line.partition("#")[0].strip(): line.partition("#")[2].strip() for line in text.splitlines()}
    assert marked["encoding: cp1252"] == "check: encoding: it is not UTF-8; is this right? Müller"
    assert marked["dates: d.m.yyyy"] == "31.12.2025 decides"
    assert marked['decimal: ","'] == "as in 1.234,50"
    assert marked["returns: negative"].startswith("check:")
    assert marked["customer_id: Kunde"] == "check: or is it Kunden-Nr?"
    outcome = built(project, tmp_path, text)
    assert outcome.rows("select sum(orders), sum(revenue) from marts.identified_revenue") == [
        (2, Decimal("1234.50"))
    ]


def test_lines_are_seen_by_the_ids_that_they_share_and_a_total_on_each_is_doubted(tmp_path):
    path = tmp_path / "lines.csv"
    path.write_text(
        "order_no\tcustomer\tdate\ttotal\n1\ta\t2026-01-05\t30\n1\ta\t2026-01-05\t30\n2\tb\t2026-01-06\t5\n"
    )
    text = vars_for(path, "mine")
    assert "grain: line" in text
    assert "amount: total   # check: it is the same in all rows of an order" in text


def test_a_column_that_is_not_found_is_left_to_the_user_with_the_names_there_are(tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("who|when|much\nx|2026-01-05|soon\n")
    text = vars_for(path, "mine")
    for column in ("customer_id", "ordered_at", "amount"):
        assert f"{column}:   # check: found no such column. There are: who, when, much" in text


DATES = {
    ("31.12.2025", "1.2.2026"): ("d.m.yyyy", "31.12.2025"),
    ("12/31/25", "1/2/26 8:26"): ("m/d/yy", "12/31/25"),
    ("31/12/2025", "1/2/2026"): ("d/m/yyyy", "31/12/2025"),
    ("1/2/2026", "3/4/2026"): ("m/d/yyyy", None),
    ("20251231",): ("yyyymmdd", "20251231"),
    ("2025-12-31", "2025/1/2 10:00"): (None, "2025-12-31"),
}


@pytest.mark.parametrize("values", DATES, ids=str)
def test_the_order_of_day_and_month_is_decided_by_a_value_above_twelve_alone(values):
    found = date_form(values)
    assert (found.form, found.decided_by) == DATES[values]


@pytest.mark.parametrize(
    "values", [("31/12/2025", "12/31/2025"), ("soon",), (), ("10:00",), ("99/99",)], ids=str
)
def test_what_fits_no_form_is_no_date(values):
    assert date_form(values) is None


MARKS = {
    ("1.234,50", "5"): (",", "1.234,50", True),
    ("1,234.50",): (".", "1,234.50", True),
    ("12,5",): (",", "12,5", True),
    ("1,234", "5"): (".", "1,234", False),
    ("12.5", "-3"): (None, None, True),
    ("a", "b"): None,
}


@pytest.mark.parametrize("values", MARKS, ids=str)
def test_a_decimal_mark_is_declared_where_a_value_shows_it(values):
    assert decimal_mark(values) == MARKS[values]


def test_the_command_writes_a_file_once_and_says_what_comes_next(tmp_path):
    (tmp_path / "orders.csv").write_text("customer_id,ordered_at,amount\na,2026-01-05,1\n")
    arguments = ["new-input", str(tmp_path / "orders.csv"), "--output", str(tmp_path / "shop.yml")]
    outcome = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert "make build INPUT=" in outcome.output
    written = yaml.safe_load((tmp_path / "shop.yml").read_text(encoding="utf-8"))
    assert written["database"] == "shop" and written["inputs"]["orders"]["columns"]["amount"] == "amount"
    outcome = CliRunner().invoke(main, arguments)
    assert outcome.exit_code != 0 and "not written over" in outcome.output


@pytest.mark.parametrize(("content", "said"), [(None, "no file"), (b"a,b\n", "no rows"), (b"", "no rows")])
def test_what_can_not_be_looked_at_is_said(tmp_path, content: bytes | None, said: str):
    path = tmp_path / "file.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NewInputError, match=said):
        vars_for(path, "mine")
