"""A company's own data: the guide word for word, every way to map it, and errors that say what to mend."""

import json
import re
import shlex
import subprocess
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml
from click.testing import CliRunner
from conftest import PROJECT, Outcome, Project

from customer_segmentation import builds, cli, inputs

GUIDE = (PROJECT / "docs" / "your_own_data.md").read_text(encoding="utf-8")
HEADER = "customer_id,ordered_at,amount"


def blocks(language: str) -> list[str]:
    """Return the code blocks of the guide in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)


def made(command: str, folder: Path) -> list[str]:
    """Return the arguments with which make calls `segmentation` for a command of the guide."""
    recipe = subprocess.run([*shlex.split(command), "--dry-run"], cwd=folder, capture_output=True, text=True)
    calls = [line for line in recipe.stdout.splitlines() if "/segmentation build" in line]
    assert len(calls) == 1, recipe.stdout + recipe.stderr
    return shlex.split(calls[0])[1:]


def segmentation(project: Project, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the command line in the copy of the project and return what it prints."""
    for module in (builds, inputs):
        monkeypatch.setattr(module, "PROJECT", project.root)
    monkeypatch.setenv("DBT_PROFILES_DIR", str(project.root))
    monkeypatch.chdir(project.root)
    outcome = CliRunner().invoke(cli.main, arguments, catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


def built(project: Project, name: str) -> Outcome:
    return Outcome(
        success=True,
        message="",
        warnings=[],
        result=None,
        database=project.root / "build" / f"{name}.duckdb",
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project for the files that the guide tells to write."""
    return Project(tmp_path_factory.mktemp("shop") / "copy")


@pytest.fixture(scope="module")
def mine(shop: Project) -> tuple[Outcome, str]:
    """The first two steps of the guide: a file of orders, a vars file, a build."""
    vars_file = blocks("yaml")[0]
    command = next(text for text in blocks("sh") if text.startswith("make build"))
    mapping = yaml.safe_load(vars_file)["inputs"]["orders"]
    header = [mapping["columns"][column] for column in ("customer_id", "ordered_at", "amount")]
    sample = blocks("csv")[0].splitlines()
    assert sample[0].split(",") == header
    orders = [
        f"B-{customer},{2024 + month // 12}-{month % 12 + 1:02}-{customer % 28 + 1:02} 10:00:00,{customer}.50"
        for customer in range(40)
        for month in range(4, 5 + customer % 20)
    ]
    path = shop.root / mapping["file"]
    path.parent.mkdir()
    path.write_text("\n".join([*sample, *orders, ""]), encoding="utf-8")
    (shop.root / re.search(r"INPUT=(\S+)", command)[1]).write_text(vars_file, encoding="utf-8")
    with pytest.MonkeyPatch.context() as monkeypatch:
        printed = segmentation(shop, made(command, shop.root), monkeypatch)
    assert "Warning" not in printed
    return built(shop, "mine"), printed


def test_the_guide_leads_to_customers_in_segments(mine):
    outcome, printed = mine
    customers = outcome.rows("select count(*), count(rfm), count(lifecycle) from marts.customers")
    assert customers == [(42, 42, 42)]
    assert len(outcome.rows("select distinct rfm from marts.customers")) > 3
    assert outcome.rows("select sum(lifetime_orders) from marts.customers") == [(422,)]
    assert "As of 2026-01-05: 42 customers, 422 orders, revenue EUR" in printed
    assert "Champions" in printed


def test_what_absent_inputs_leave_unknown_is_null_and_not_zero(mine):
    unknown = [
        *["demographic", "geographic", "customer_kind", "kind", "age_band", "region", "household_size"],
        *["favourite_category", "category_breadth", "price_level", "favourite_channel", "favourite_device"],
        *["visits_90d", "days_since_cart_left", "can_email", "is_reachable"],
        *["lifetime_margin", "margin_12m", "discount_share", "return_share"],
    ]
    counts = ", ".join(f"count({column})" for column in unknown)
    assert mine[0].rows(f"select {counts} from marts.customers") == [(0,) * len(unknown)]
    assert mine[0].rows("select count(reachable_customers) from marts.segment_profiles") == [(0,)]


def test_segmentations_without_their_inputs_are_left_out_and_say_so(mine):
    outcome, printed = mine
    in_use = {name for (name,) in outcome.rows("select distinct segmentation from marts.segment_membership")}
    assert in_use == {"rfm", "lifecycle", "loyalty_tier", "behaviour"}
    segments = outcome.rows("""
        select split_part(name, '.', 1), name, note from marts.input_coverage
        where subject = 'segment' and not is_present
    """)
    assert {segmentation for segmentation, _, _ in segments} == {
        "demographic",
        "geographic",
        "customer_kind",
        "behaviour",
    }
    notes = {name: note for _, name, note in segments}
    assert all(note.startswith("left out: needs ") for note in notes.values())
    assert notes["behaviour.cart_abandoners"] == "left out: needs events"
    assert "demographic" in printed and "customers.birth_date" in printed
    assert "behaviour.first_order_only" not in notes


def test_coverage_says_which_inputs_and_columns_are_there(mine):
    present = mine[0].rows("select name from marts.input_coverage where subject <> 'segment' and is_present")
    assert {name for (name,) in present} == {
        "orders",
        "orders.customer_id",
        "orders.ordered_at",
        "orders.amount",
    }


def test_lines_of_the_guide_are_orders_items_products_and_returns(shop, mine, monkeypatch):
    text = next(text for text in blocks("yaml") if "grain: line" in text)
    mapping = yaml.safe_load(text)["inputs"]["orders"]
    (shop.root / mapping["file"]).write_text(blocks("csv")[1], encoding="utf-8")
    (shop.root / "lines.yml").write_text(text.replace("database: mine", "database: lines"), encoding="utf-8")

    printed = segmentation(shop, ["build", "--input", "lines.yml"], monkeypatch)

    outcome = built(shop, "lines")
    assert "Identified revenue: 62.5 % of all; EUR 30 more came of 1 order without a customer" in printed
    assert outcome.rows("select customer_id, lifetime_orders, lifetime_revenue from marts.customers") == [
        ("A-17", 1, Decimal("49.90"))
    ]
    assert outcome.rows("select * from staging.stg_products order by 1") == [
        ("C-2", "Cup", None, None),
        ("T-7", "Teapot", None, None),
    ]
    assert outcome.rows("select count(*), sum(amount) from staging.stg_order_items") == [
        (3, Decimal("89.90"))
    ]


def test_a_table_of_a_warehouse_is_an_input(shop, mine, monkeypatch):
    attached, text = (
        next(text for text in blocks("yaml") if word in text)
        for word in ("attach:", "warehouse.sales.orders")
    )
    with duckdb.connect(str(shop.root / "warehouse.duckdb")) as connection:
        connection.execute("""
            create schema sales;
            create table sales.orders as
            select
                number as order_no,
                'c' || number % 3 as customer_no,
                timestamp '2026-01-01 10:00:00' + to_days(number::int) as placed_at,
                10.0 as net_amount,
                case when number % 2 = 0 then 'DE' else 'FR' end as shop
            from range(40) as numbers (number)
        """)
    profiles = shop.root / "profiles.yml"
    attached = attached.replace("warehouse.duckdb", str(shop.root / "warehouse.duckdb"))
    profiles.write_text(
        profiles.read_text(encoding="utf-8").replace(
            "      type: duckdb\n",
            f"      type: duckdb\n{attached}",
        ),
        encoding="utf-8",
    )
    (shop.root / "table.yml").write_text(
        text.replace("database: mine", "database: of_a_table"), encoding="utf-8"
    )

    segmentation(shop, ["build", "--input", "table.yml"], monkeypatch)

    outcome = built(shop, "of_a_table")
    assert outcome.rows("select sum(lifetime_orders), sum(lifetime_revenue) from marts.customers") == [
        (20, 200)
    ]


def test_the_longer_example_of_the_guide_builds_too(shop, mine, monkeypatch):
    """Globs, Parquet, a table, a model, a query, expressions and where, all in one vars file."""
    data = shop.root / "data"
    orders = """
        select
            'o' || number as OrderNo,
            'c' || number % 40 as CustomerNo,
            timestamp '2024-06-15 11:00:00' + to_days(number::int * 2) as Placed,
            20.0 as Total,
            case when number % 2 = 0 then 5.0 end as Shipping,
            case when number % 10 = 0 then 'X' end as State,
            case when number % 4 = 0 then 'FR' else 'DE' end as Shop
        from range({}) as numbers (number)
    """
    events = """
        select
            nullif('c' || number % 5, 'c4') as visitor,
            timestamp '2026-01-01 08:00:00' as ts,
            'VIEW' as action
        from range(50) as numbers (number)
    """
    duckdb.sql(f"copy ({orders.format('0, 100')}) to '{data}/orders_1.parquet'")
    duckdb.sql(f"copy ({orders.format('100, 300')}) to '{data}/orders_2.parquet'")
    (data / "events").mkdir()
    duckdb.sql(f"copy ({events}) to '{data}/events/1.json'")
    (shop.root / "models" / "my_products.sql").write_text("select 'p1' as product_id, 'shoes' as category\n")
    text = next(text for text in blocks("yaml") if "my_products" in text)
    table = yaml.safe_load(text)["inputs"]["customers"]["table"]
    with duckdb.connect(str(shop.root / "build" / "all.duckdb")) as connection:
        connection.execute(f"create schema {table.rpartition('.')[0]}")
        customer = "'c1' as CustomerNo, date '1990-02-03' as Born, 'B' as Band"
        connection.execute(f"create table {table} as select {customer}")
    (shop.root / "all.yml").write_text(text, encoding="utf-8")

    printed = segmentation(shop, ["build", "--input", "all.yml"], monkeypatch)
    assert "Warning" not in printed

    outcome = built(shop, "all")
    assert outcome.rows(
        "select input, rows_in, rows_accepted from marts.input_reconciliation order by input"
    ) == [
        ("consents", 0, 0),
        ("customers", 1, 1),
        ("events", 40, 40),
        ("order_items", 0, 0),
        ("orders", 225, 225),
        ("products", 1, 1),
        ("returns", 0, 0),
    ]
    assert outcome.rows(
        "select status, amount, count(*) from staging.stg_orders group by all order by all"
    ) == [
        ("cancelled", 15, 15),
        ("completed", 15, 60),
        ("completed", 20, 150),
    ]
    assert outcome.rows("select customer_id, age_band from marts.customers where age_band is not null") == [
        ("c1", "35-44")
    ]
    assert outcome.rows("select sum(visits_90d) from marts.customers") == [(4,)]
    assert outcome.rows("from segments.latest_features select credit_band where customer_id = 'c1'") == [
        ("B",)
    ]
    assert "demographic" in printed


def test_a_glob_of_csv_files_is_read_whole(project, tmp_path, write_csv):
    write_csv([HEADER, "a,2024-01-01,1", "b,2024-01-02,2"], "orders_1.csv")
    write_csv(["amount,ordered_at,customer_id", "3,2024-01-03,c"], "orders_2.csv")
    outcome = project.run(
        tmp_path, "--select", "+stg_orders", inputs={"orders": {"file": str(tmp_path / "orders_*.csv")}}
    )
    rows = outcome.rows("select customer_id, amount from staging.stg_orders order by 1")
    assert rows == [("a", 1), ("b", 2), ("c", 3)]


def test_keys_of_other_types_are_texts_in_the_house(project, tmp_path):
    duckdb.sql(f"""
        copy (select 7::bigint as customer_id, date '2024-01-01' as ordered_at, 9.99::double as amount)
        to '{tmp_path}/orders.parquet'
    """)
    outcome = project.run(
        tmp_path, "--select", "+stg_orders", inputs={"orders": {"file": str(tmp_path / "orders.parquet")}}
    )
    rows = outcome.rows("select customer_id, amount::varchar, ordered_on::varchar from staging.stg_orders")
    assert rows == [("7", "9.9900", "2024-01-01")]


ORDERS = {"query": "select 'a' as customer_id, '2024-01-01' as ordered_at, '1' as amount"}


MISTAKES = {
    "a required column is missing": (
        {"inputs": {"orders": {"query": "select 'a' as buyer, '2024-01-01' as ordered_at, 1 as amount"}}},
        [
            "'orders'",
            "'customer_id'",
            "It has: buyer, ordered_at, amount",
            "inputs.orders.columns.customer_id",
        ],
    ),
    "a named column is missing": (
        {"inputs": {"orders": ORDERS | {"columns": {"amount": "total"}}}},
        ["'orders'", "'total'", "'amount'", "inputs.orders.columns.amount"],
    ),
    "a required column of another input is missing": (
        {"inputs": {"orders": ORDERS, "order_items": {"query": "select 1 as order_id"}}},
        ["'order_items'", "'product_id'", "inputs.order_items.columns.product_id"],
    ),
    "items have no orders to belong to": (
        {
            "inputs": {
                "orders": ORDERS,
                "order_items": {"query": "select 1 as order_id, 1 as product_id, 1 as amount"},
            }
        },
        ["inputs.orders.columns.order_id", "order_items"],
    ),
    "orders are empty": (
        {"inputs": {"orders": {"query": ORDERS["query"] + " where false"}}},
        ["inputs.orders", "no rows"],
    ),
    "where leaves no orders": (
        {"inputs": {"orders": ORDERS | {"where": "false"}}},
        ["inputs.orders", "no rows"],
    ),
    "a file is missing": (
        {"inputs": {"orders": {"file": "data/nowhere.csv"}}},
        ["inputs.orders.file", "'data/nowhere.csv'", "no such file"],
    ),
    "a glob finds nothing": (
        {"inputs": {"orders": {"file": "data/nowhere_*.parquet"}}},
        ["inputs.orders.file", "no such file"],
    ),
    "orders are not mapped": (
        {"inputs": {"customers": {"table": "crm.customers"}}},
        ["inputs", "no 'orders'", "required"],
    ),
    "nothing is mapped": ({"inputs": {}}, ["inputs", "no 'orders'"]),
    "an unknown input": (
        {"inputs": {"orders": ORDERS, "refunds": {"file": "x.csv"}}},
        ["inputs", "'refunds'", "orders, returns, customers, order_items, products, events, consents"],
    ),
    "an unknown key": (
        {"inputs": {"orders": ORDERS | {"column": {}}}},
        ["inputs.orders", "'column'", "did you mean 'columns'?"],
    ),
    "an attribute of a type that is none": (
        {"inputs": {"orders": ORDERS, "customers": ORDERS | {"attributes": {"band": "varchar"}}}},
        ["inputs.customers.attributes.band", "'varchar'", "text, number"],
    ),
    "an attribute that is there already": (
        {"inputs": {"orders": ORDERS, "customers": ORDERS | {"attributes": {"gender": "text"}}}},
        ["inputs.customers.attributes.gender", "there is a column"],
    ),
    "an attribute that is a feature": (
        {"inputs": {"orders": ORDERS, "customers": ORDERS | {"attributes": {"lifetime_orders": "integer"}}}},
        ["inputs.customers.attributes.lifetime_orders", "there is a column"],
    ),
    "attributes of what is no customer": (
        {"inputs": {"orders": ORDERS | {"attributes": {"band": "text"}}}},
        ["inputs.orders", "unknown key 'attributes'"],
    ),
    "a form of dates without a year": (
        {"inputs": {"orders": ORDERS | {"dates": "dd.mm"}}},
        ["inputs.orders.dates", "'dd.mm'", "dd.mm.yyyy"],
    ),
    "a form of dates in strptime": (
        {"inputs": {"orders": ORDERS | {"dates": ["dd.mm.yyyy", "%d.%m.%Y"]}}},
        ["inputs.orders.dates", "'%d.%m.%Y'", "m/d/yy"],
    ),
    "a decimal mark in words": (
        {"inputs": {"orders": ORDERS | {"decimal": "comma"}}},
        ["inputs.orders.decimal", "'comma'", "','"],
    ),
    "an encoding of what is no file": (
        {"inputs": {"orders": ORDERS | {"encoding": "cp949"}}},
        ["inputs.orders.encoding", "CSV files alone"],
    ),
    "an encoding that nobody knows": (
        {"inputs": {"orders": {"file": "seeds/demo/expected_rejections.csv", "encoding": "cp94"}}},
        ["inputs.orders.encoding", "'cp94'", "no encoding is called so", "cp949"],
    ),
    "a row that is neither order nor line": (
        {"inputs": {"orders": ORDERS | {"grain": "lines"}}},
        ["inputs.orders.grain", "'lines'", "`line`"],
    ),
    "lines without the id of their order": (
        {"inputs": {"orders": ORDERS | {"grain": "line"}}},
        ["'orders'", "'order_id'", "inputs.orders.columns.order_id"],
    ),
    "items beside lines": (
        {
            "inputs": {
                "orders": {"query": ORDERS["query"] + ", 1 as order_id", "grain": "line"},
                "order_items": {"query": "select 1 as order_id, 1 as product_id, 1 as amount"},
            }
        },
        ["inputs.order_items", "grain: line", "leave one of them out"],
    ),
    "returns in two places": (
        {
            "inputs": {
                "orders": {"query": ORDERS["query"] + ", 0 as returned_amount"},
                "returns": {"query": "select 1 as order_id, '2024-01-02' as returned_at, 1 as amount"},
            }
        },
        ["inputs.orders.columns.returned_amount", "count twice"],
    ),
    "an unknown column": (
        {"inputs": {"orders": ORDERS | {"columns": {"ammount": "amount"}}}},
        ["inputs.orders.columns", "'ammount'", "ordered_at, amount"],
    ),
    "two kinds": (
        {"inputs": {"orders": ORDERS | {"file": "x.csv"}}},
        ["inputs.orders", "exactly one", "file, query"],
    ),
    "no kind": ({"inputs": {"orders": {"columns": {}}}}, ["inputs.orders", "it has none"]),
    "no history": ({"history_months": 0}, ["history_months", "1 to 120"]),
    "a history in words": ({"history_months": "a year"}, ["history_months", "1 to 120"]),
    "a date in another order": ({"as_of_date": "30.6.2026"}, ["as_of_date", "'30.6.2026'", "2026-06-30"]),
    "a date that never was": ({"as_of_date": "2026-02-30"}, ["as_of_date", "'2026-02-30'"]),
    "no amount is allowed": ({"max_amount": 0}, ["max_amount", "above 0"]),
    "more rows are lost than there are": (
        {"fail_if_rejected": 20},
        ["fail_if_rejected", "is 20", "0.2 for 20 %"],
    ),
    "a share in words": ({"warn_if_rejected": "few"}, ["warn_if_rejected", "is few", "from 0 to 1"]),
    "warned of when all is over": (
        {"warn_if_rejected": 0.3, "fail_if_rejected": 0.2},
        ["warn_if_rejected", "is 0.3", "fail_if_rejected is 0.2", "the smaller"],
    ),
    "two currencies": ({"currency": ["EUR", "KRW"]}, ["currency", "['EUR', 'KRW']", "one text, such as EUR"]),
    "no currency": ({"currency": " "}, ["currency", "one text"]),
    "a time zone of another planet": (
        {"time_zone": "Mars/Phobos"},
        ["time_zone", "'Mars/Phobos'", "Asia/Seoul"],
    ),
    "two time zones": ({"time_zone": ["Asia/Seoul"]}, ["time_zone", "no time zone"]),
    "an unknown metric": ({"rfm_cutoffs": {"frequncy": [1, 2, 3, 4]}}, ["rfm_cutoffs", "'frequncy'"]),
    "three cut-offs": ({"rfm_cutoffs": {"frequency": [1, 2, 3]}}, ["rfm_cutoffs", "four ascending"]),
    "descending cut-offs": ({"rfm_cutoffs": {"recency": [9, 5, 3, 1]}}, ["rfm_cutoffs", "four ascending"]),
    "a cut-off in words": ({"rfm_cutoffs": {"recency": [1, 2, 3, "x"]}}, ["rfm_cutoffs", "four ascending"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_stops_the_run_at_once_and_says_where_to_mend_it(project, tmp_path, mistake: str):
    variables, parts = MISTAKES[mistake]
    outcome = project.dbt(tmp_path, "run", **({"inputs": {"orders": ORDERS}} | variables))
    assert not outcome.success
    assert [part for part in [*parts, "docs/"] if part not in outcome.message] == [], outcome.message
    assert outcome.rows("select count(*) from information_schema.tables") == [(0,)]


def test_a_run_without_rows_is_refused_before_it_empties_a_table(project, tmp_path):
    outcome = project.dbt(tmp_path, "run", "--empty", inputs={"orders": ORDERS})
    assert not outcome.success and "Leave --empty out" in outcome.message
    assert outcome.rows("select count(*) from information_schema.tables") == [(0,)]


BAD_ORDERS = {
    "missing:amount": "o1,a,2024-05-01,,completed,web,",
    "wrong_type:ordered_at": "o2,a,yesterday,1,completed,web,",
    "wrong_type:amount": 'o3,a,2024-05-01,"1,50",completed,web,',
    "negative:amount": "o4,a,2024-05-01,-1,completed,web,",
    "absurd:amount": "o5,a,2024-05-01,100000001,completed,web,",
    "too_early:ordered_at": "o6,a,1899-12-30,1,completed,web,",
    "after_as_of_date:ordered_at": "o7,a,2024-06-01,1,completed,web,",
    "unknown_value:status": "o8,a,2024-05-01,1,shipped,web,",
    "broken_text:channel": "o9,a,2024-05-01,1,completed,w\ufffdb,",
    "duplicate:order_id": "o10,a,2024-05-01,1,completed,web,2024-05-02",
    "wrong_type:amount, unknown_value:status": "o11,a,2024-05-01,much,lost,web,",
}
GOOD_ORDERS = ["o10,a,2024-05-01,2,completed,web,2024-05-03", "o12, a ,2024-05-02 10:00:00, 3 , COMPLETED ,,"]


@pytest.fixture(scope="module")
def with_bad_rows(project, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad_rows")
    files = {
        "orders": [
            "order_id,customer_id,ordered_at,amount,status,channel,updated_at",
            *BAD_ORDERS.values(),
            *GOOD_ORDERS,
        ],
        "order_items": ["order_id,product_id,amount", "o10,p1,2", "o8,p1,1", "o12,p9,1"],
        "products": ["product_id,category", "p1,shoes", ",hats"],
    }
    for name, lines in files.items():
        (folder / f"{name}.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    mappings = {name: {"file": str(folder / f"{name}.csv")} for name in files}
    read = ("+rejected_rows", "+input_reconciliation", "+features_rfm")
    return project.run(folder, "--select", *read, inputs=mappings, as_of_date="2024-05-31")


def test_each_kind_of_bad_row_is_rejected_with_its_reason(with_bad_rows):
    rejected = with_bad_rows.rows("select reasons, row_key from marts.rejected_rows where input = 'orders'")
    assert sorted(rejected) == sorted((reason, row.partition(",")[0]) for reason, row in BAD_ORDERS.items())
    others = with_bad_rows.rows(
        "select input, reasons from marts.rejected_rows where input <> 'orders' order by 1, 2"
    )
    assert others == [
        ("order_items", "unknown_reference:order_id"),
        ("order_items", "unknown_reference:product_id"),
        ("products", "missing:product_id"),
    ]


def test_a_rejected_row_is_kept_as_it_was_delivered(with_bad_rows):
    rows = with_bad_rows.rows(
        "select row_json from marts.rejected_rows where input = 'orders' and row_key = 'o3'"
    )
    assert json.loads(rows[0][0]) == {
        "order_id": "o3",
        "customer_id": "a",
        "ordered_at": "2024-05-01",
        "amount": "1,50",
        "status": "completed",
        "channel": "web",
        "updated_at": None,
        "broken_row": None,
    }


def test_bad_rows_reconcile_and_the_good_ones_are_used(with_bad_rows):
    rows = with_bad_rows.rows(
        "select input, rows_in, rows_accepted, rows_rejected, is_reconciled "
        "from marts.input_reconciliation where rows_in > 0 order by input"
    )
    assert rows == [("order_items", 3, 1, 2, True), ("orders", 13, 2, 11, True), ("products", 2, 1, 1, True)]
    assert with_bad_rows.rows(
        "select customer_id, lifetime_orders, lifetime_revenue from features.features_rfm "
        "where as_of_date = date '2024-05-31'"
    ) == [("a", 2, 5)]


def rejected(project, tmp_path, write_csv, *rows: str) -> list[tuple]:
    path = write_csv(["customer_id,ordered_at,amount,status", "a,2024-05-01,1,completed", *rows])
    outcome = project.run(tmp_path, "--select", "+rejected_rows", inputs={"orders": {"file": path}})
    return outcome.rows("select reasons from marts.rejected_rows order by reasons")


def test_a_line_with_a_comma_too_many_is_a_rejected_row(project, tmp_path, write_csv):
    assert rejected(project, tmp_path, write_csv, "a,2024-05-02,1,234.50,completed") == [
        ("broken_row:fields, unknown_value:status",)
    ]


def test_a_line_with_a_field_too_few_stops_nothing(project, tmp_path, write_csv):
    assert rejected(project, tmp_path, write_csv, "a,2024-05-02", "a,2024-05-03,2") == [("missing:amount",)]


@pytest.mark.parametrize("offset", ["Z", "+09:00", "-0800"])
def test_a_time_with_an_offset_is_not_taken_for_a_local_one(project, tmp_path, write_csv, offset: str):
    assert rejected(project, tmp_path, write_csv, f"a,2024-05-02T10:00:00{offset},1,completed") == [
        ("wrong_type:ordered_at",)
    ]


def test_trademarks_and_accents_are_no_broken_text(project, tmp_path, write_csv):
    names = ["CAFÉ®", "«olé»", "Nestlé® KitKat", "서울"]
    assert rejected(project, tmp_path, write_csv, *(f"{name},2024-05-02,1,completed" for name in names)) == []


def test_files_of_a_glob_are_matched_by_the_names_of_their_columns(project, tmp_path):
    (tmp_path / "orders_1.csv").write_text(
        "customer_id,ordered_at,amount\na,2024-05-01,1\n", encoding="utf-8"
    )
    (tmp_path / "orders_2.csv").write_text(
        "status,amount,ordered_at,customer_id\ncancelled,2,2024-04-30,b\n", encoding="utf-8"
    )
    files = {"orders": {"file": str(tmp_path / "orders_*.csv")}}
    outcome = project.run(tmp_path, "--select", "+stg_orders", inputs=files)
    assert outcome.rows("select customer_id, amount, status from staging.stg_orders order by 1") == [
        ("a", 1, "completed"),
        ("b", 2, "cancelled"),
    ]


@pytest.mark.parametrize("name", ["Customer No", "Order", "고객"])
def test_a_column_may_have_any_name(project, tmp_path, write_csv, name: str):
    path = write_csv([f"{name},ordered_at,amount", "a,2024-05-01,1"])
    orders = {"file": path, "columns": {"customer_id": name}}
    outcome = project.run(tmp_path, "--select", "+stg_orders", inputs={"orders": orders})
    assert outcome.rows("select customer_id from staging.stg_orders") == [("a",)]


def test_orders_that_are_all_rejected_are_said_with_their_reasons(project, tmp_path, write_csv):
    path = write_csv(["customer_id,ordered_at,amount", 'a,2024-05-01,"59,90"', 'b,2024-05-02,"9,90"'])
    outcome = project.dbt(tmp_path, "run", inputs={"orders": {"file": path}})
    assert not outcome.success
    assert "all of them are rejected; their amount can't be read:" in outcome.message
    assert "2 rows: wrong_type:amount" in outcome.message
    assert "59,90" in outcome.message


CHECKED = ("build", "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious")
CHECKED += ("--select", "+input_reconciliation")
FEW_LOST = [f"o{number},a,2024-05-{number:02},10,completed" for number in range(1, 19)]
LOST = ["o19,b,05.03.2024,15,completed", "o20,b,,5,sent"]


@pytest.mark.parametrize(("limit", "is_published"), [(0.1, True), (0.09, False)])
def test_a_build_that_loses_much_says_how_much_and_why_and_fails_beyond_the_limit(
    project, tmp_path, write_csv, limit: float, is_published: bool
):
    path = write_csv(["order_id,customer_id,ordered_at,amount,status", *FEW_LOST, *LOST])
    orders = {"orders": {"file": path}}
    outcome = project.dbt(tmp_path, *CHECKED, inputs=orders, fail_if_rejected=limit, currency="EUR")
    assert outcome.success is is_published, outcome.message
    said = outcome.message if not is_published else "\n".join(outcome.warnings)
    assert (
        "orders has 20 rows, and 2 of them (10.0 %) are rejected, with EUR 20 (10.0 % of the amount)" in said
    )
    reasons = re.findall(r"^ +1 row: (\S+), such as (.*)\n +(.*)$", said, re.MULTILINE)
    assert [(reason, json.loads(row)["order_id"]) for reason, row, _ in reasons] == [
        ("missing:ordered_at", "o20"),
        ("unknown_value:status", "o20"),
        ("wrong_type:ordered_at", "o19"),
    ]
    assert "Translate it in `columns`" in reasons[1][2]
    assert ("fail_if_rejected" in said) is not is_published


def test_what_lies_after_a_date_that_was_set_is_no_loss(project, tmp_path, write_csv):
    path = write_csv(["order_id,customer_id,ordered_at,amount,status", *FEW_LOST])
    orders = {"orders": {"file": path}}
    outcome = project.dbt(tmp_path, *CHECKED, inputs=orders, fail_if_rejected=0.2, as_of_date="2024-05-06")
    assert outcome.success, outcome.message
    assert not [said for said in outcome.warnings if "are rejected" in said]
    query = "select rows_rejected, loses_much from marts.input_reconciliation where input = 'orders'"
    assert outcome.rows(query) == [(12, False)]


def test_money_of_rows_whose_amount_cannot_be_read_is_said_to_be_missing(project, tmp_path, write_csv):
    comma = 'o20,a,2024-05-20,"12,50",completed'
    path = write_csv(["order_id,customer_id,ordered_at,amount,status", *FEW_LOST, LOST[1], comma])
    outcome = project.dbt(tmp_path, *CHECKED, inputs={"orders": {"file": path}}, currency="EUR")
    (said,) = [said for said in outcome.warnings if "are rejected" in said]
    assert "with EUR 5 (2.7 % of the amount), without 1 row of an amount that can't be read" in said
    # the mend fits the column, and only if all rows are so
    assert "if all rows have decimal commas: try_cast(" in said
    assert "try_strptime" not in said


def test_the_history_of_the_demo_is_not_mixed_with_another(project, tmp_path):
    outcome = project.dbt(tmp_path, "run", parse=True, inputs={"orders": ORDERS}, database="demo")
    assert not outcome.success
    assert "database: mine" in outcome.message


def test_an_unknown_variable_is_said_with_the_known_ones(tmp_path):
    path = tmp_path / "mine.yml"
    path.write_text("curency: EUR\ninputs: {orders: {file: x.csv}}\n", encoding="utf-8")
    with pytest.raises(inputs.InputError, match=r"(?s)curency.*currency"):
        inputs.resolve(str(path))
