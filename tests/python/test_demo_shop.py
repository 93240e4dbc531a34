"""The demo shop is what it says: reproducible, consistent, and flawed exactly as counted.

The rules of the input contract are checked here by plain Python, apart from the SQL that checks them in a
build, so that neither can hide a mistake of the other.
"""

import csv
import gzip
import io
import re
from collections import Counter
from datetime import date, datetime
from math import isfinite
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from customer_segmentation import demo_shop
from customer_segmentation.demo_shop.files import pack
from customer_segmentation.demo_shop.flaws import ORDERS_OF_NOBODY
from customer_segmentation.demo_shop.tables import GUESTS, ODD_NAMES, REFUNDS_WITH_SHIPPING, SAMPLE_ORDERS

PROJECT = Path(__file__).parents[2]
COMMITTED = PROJECT / "seeds" / "demo"
INPUTS = ("orders", "customers", "order_items", "products", "events", "consents")
LATEST = date(2026, 6, 17)
MAX_AMOUNT = 100_000_000
BROKEN = re.compile("\ufffd|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def uncompressed(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    result = CliRunner().invoke(demo_shop.main, ["--out", str(out)], catch_exceptions=False)
    if result.exit_code != 0:
        pytest.fail(result.output)
    return out


@pytest.fixture(scope="module")
def contract() -> dict:
    macro = (PROJECT / "macros" / "staging" / "input_contract.sql").read_text(encoding="utf-8")
    contract = yaml.safe_load(re.search(r"\{%- set contract -%\}(.*?)\{%- endset -%\}", macro, re.DOTALL)[1])
    columns = contract["orders"]["columns"]
    contract["orders"]["columns"] = {name: rule for name, rule in columns.items() if not rule.get("line")}
    return contract


@pytest.fixture(scope="module")
def delivered() -> dict[str, list[dict[str, str]]]:
    """The rows of each input as committed, trimmed as staging trims them."""
    rows = {}
    for name in INPUTS:
        text = uncompressed(COMMITTED / f"{name}.csv.gz").decode("utf-8")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        rows[name] = [{column: value.strip() for column, value in row.items()} for row in reader]
    return rows


def parsed(kind: str, text: str) -> str | float | bool | datetime:
    """The value of the text; a ValueError where it has none of this type."""
    if kind == "string":
        return text
    if kind in ("decimal", "integer"):
        number = float(text) if kind == "decimal" else int(text)
        if not isfinite(number):
            raise ValueError(text)
        return number
    if kind == "boolean":
        return {"true": True, "false": False}[text.lower()]
    return datetime.fromisoformat(text)


def problem(rule: dict, text: str) -> str | None:
    """What is wrong with one value by the rule of its column."""
    if not text:
        return "missing" if rule.get("required") and not rule.get("may_be_empty") else None
    try:
        value = parsed(rule["type"], text)
    except (ValueError, KeyError):
        return "wrong_type"
    if rule["type"] in ("date", "timestamp"):
        if value < datetime.fromisoformat(rule.get("earliest", "1970-01-01")):
            return "too_early"
        return "after_as_of_date" if value.date() > LATEST and not rule.get("known_later") else None
    if rule["type"] in ("decimal", "integer"):
        most = MAX_AMOUNT if rule.get("max") == "max_amount" else rule.get("max")
        return "negative" if value < 0 else "absurd" if most and value > most else None
    if rule["type"] == "string" and BROKEN.search(text):
        return "broken_text"
    if "values" in rule and text.lower() not in rule["values"]:
        return "unknown_value"
    return None


def found_reasons(contract: dict, delivered: dict) -> dict[str, list[list[str]]]:
    """The reasons against each row of each input."""
    reasons = {}
    for name in INPUTS:
        columns = contract[name]["columns"]
        key = contract[name]["key"] + contract[name].get("versions", [])[:1]
        reasons[name] = [
            [f"{what}:{column}" for column, rule in columns.items() if (what := problem(rule, row[column]))]
            for row in delivered[name]
        ]
        newest_first = sorted(
            range(len(reasons[name])), key=lambda at: delivered[name][at].get("updated_at", ""), reverse=True
        )
        seen = {}
        for at in newest_first:
            row = delivered[name][at]
            values = tuple(row[column].lower() for column in key)
            said = {column: value.lower() for column, value in row.items() if column != "updated_at"}
            if all(values) and not reasons[name][at]:
                if values in seen:
                    what = "copy" if said == seen[values] else "duplicate"
                    reasons[name][at].append(f"{what}:" + "+".join(key))
                seen.setdefault(values, said)

    def accepted(name: str, column: str) -> set[str]:
        return {row[column] for row, why in zip(delivered[name], reasons[name], strict=True) if not why}

    known = {name: accepted(name, contract[name]["key"][0]) for name in ("orders", "products")}
    known["customers"] = accepted("customers", "customer_id") | accepted("orders", "customer_id")
    for name in INPUTS:
        for column, rule in contract[name]["columns"].items():
            for row, why in zip(delivered[name], reasons[name], strict=True):
                if "references" in rule and row[column] and row[column] not in known[rule["references"]]:
                    why.append(f"unknown_reference:{column}")
    return reasons


@pytest.fixture(scope="module")
def good(contract: dict, delivered: dict) -> dict[str, pd.DataFrame]:
    """The rows that must be accepted."""
    reasons = found_reasons(contract, delivered)
    return {
        name: pd.DataFrame([row for row, why in zip(delivered[name], reasons[name], strict=True) if not why])
        for name in INPUTS
    }


def test_the_committed_files_are_what_the_program_makes(made: Path) -> None:
    """Compared uncompressed: another build of zlib may pack the same text into other bytes."""
    committed = {path.name for path in COMMITTED.iterdir()} - {"README.md"}
    assert {path.name for path in made.iterdir()} == committed
    for path in made.iterdir():
        assert uncompressed(path) == uncompressed(COMMITTED / path.name), path.name


def test_packing_adds_neither_time_nor_file_name() -> None:
    packed = pack(pd.DataFrame({"city": ["서울", "부산"]}))
    assert packed == pack(pd.DataFrame({"city": ["서울", "부산"]}))
    assert packed[3] == 0  # no optional field in the header, such as a name
    assert packed[4:8] == b"\0\0\0\0"
    assert gzip.decompress(packed) == "city\n서울\n부산\n".encode()


def test_all_files_together_are_small() -> None:
    assert sum(path.stat().st_size for path in COMMITTED.iterdir()) < 4_000_000


def test_every_column_of_the_contract_is_there_and_filled(contract: dict, good: dict) -> None:
    for name in INPUTS:
        assert list(good[name].columns) == list(contract[name]["columns"])
        assert good[name].ne("").any().all(), name


def test_rejections_are_as_expected(contract: dict, delivered: dict) -> None:
    reasons = found_reasons(contract, delivered)
    found = Counter((name, reason) for name in INPUTS for why in reasons[name] for reason in why)
    expected = pd.read_csv(COMMITTED / "expected_rejections.csv")
    assert found == {(row.input, row.reason): row.rows for row in expected.itertuples()}


def test_every_bad_row_has_one_reason(contract: dict, delivered: dict) -> None:
    reasons = found_reasons(contract, delivered)
    assert {len(why) for name in INPUTS for why in reasons[name]} == {0, 1}


def test_every_problem_that_an_input_can_have_is_there(contract: dict) -> None:
    expected = pd.read_csv(COMMITTED / "expected_rejections.csv")
    there = set(zip(expected["input"], expected["reason"].str.partition(":")[0], strict=True))
    possible = set()
    for name in INPUTS:
        rules = contract[name]["columns"].values()
        kinds = {rule["type"] for rule in rules}
        texts = [rule for rule in rules if rule["type"] == "string" and "values" not in rule]
        dates = [rule for rule in rules if rule["type"] in ("timestamp", "date")]
        possible |= {(name, "copy")}
        possible |= {(name, "missing") for rule in rules if rule.get("required")}
        possible |= {(name, "wrong_type") for _ in kinds - {"string"}}
        possible |= {(name, "too_early") for _ in dates}
        possible |= {(name, "after_as_of_date") for rule in dates if not rule.get("known_later")}
        possible |= {(name, what) for what in ("negative", "absurd") if kinds & {"decimal", "integer"}}
        possible |= {(name, "unknown_reference") for rule in rules if "references" in rule}
        possible |= {(name, "unknown_value") for rule in rules if "values" in rule}
        possible |= {(name, "broken_text") for _ in texts}
    possible |= {(name, "duplicate") for name in ("orders", "customers", "products")}  # what changes
    # Each text of a consent refers or is one of a list: broken, it would have a second reason.
    assert there == possible - {("consents", "broken_text")}


def test_the_latest_date_has_orders_and_events_and_nothing_is_later(good: dict) -> None:
    latest = LATEST.isoformat()
    assert good["orders"]["ordered_at"].max().startswith(latest)
    assert good["events"]["occurred_at"].max().startswith(latest)
    times = {
        "orders": ["returned_at", "updated_at"],
        "customers": ["created_at", "valid_from", "updated_at"],
        "products": ["updated_at"],
        "consents": ["changed_at"],
    }
    for name, columns in times.items():
        assert good[name][columns].max().max()[:10] <= latest


def test_an_order_is_the_sum_of_its_items(good: dict) -> None:
    amounts = ["amount", "discount_amount"]
    sums = good["order_items"].set_index("order_id")[amounts].astype(int).groupby(level=0).sum()
    # of those at the till that are nobody's only the sum is known
    named = good["orders"][good["orders"]["customer_id"].ne("")]
    assert len(good["orders"]) - len(named) == ORDERS_OF_NOBODY
    orders = named.set_index("order_id")[amounts].astype(int)
    pd.testing.assert_frame_equal(orders.sort_index(), sums.sort_index(), check_index_type=False)


def test_every_tracked_online_order_is_a_purchase_of_that_moment(good: dict) -> None:
    online = good["orders"][good["orders"]["channel"].ne("store") & good["orders"]["ordered_at"].gt("2025")]
    purchases = good["events"][good["events"]["event_type"].eq("purchase")]
    assert Counter(zip(online["customer_id"], online["ordered_at"], strict=True)) == Counter(
        zip(purchases["customer_id"], purchases["occurred_at"], strict=True)
    )


def test_customers_are_known_before_they_order_or_visit(good: dict) -> None:
    created = good["customers"].groupby("customer_id")["created_at"].min()
    for name, column in (("orders", "ordered_at"), ("events", "occurred_at"), ("consents", "changed_at")):
        first = good[name].groupby("customer_id")[column].min()
        assert (created.reindex(first.index).fillna("") <= first).all(), name


def test_truth_covers_every_customer(good: dict) -> None:
    truth = pd.read_csv(COMMITTED / "truth.csv.gz", dtype=str)
    assert truth["customer_id"].is_unique
    inputs = ("orders", "customers", "events", "consents")
    assert set(truth["customer_id"]) == set().union(*(good[name]["customer_id"] for name in inputs)) - {""}
    guests = set(good["orders"]["customer_id"]) - set(good["customers"]["customer_id"]) - {""}
    assert set(truth["customer_id"][truth["is_guest"].eq("true")]) == guests
    assert len(guests) == GUESTS


def test_legitimate_oddities_are_there(good: dict) -> None:
    orders = good["orders"]
    assert orders["amount"].eq("0").sum() == SAMPLE_ORDERS
    refunded_more = orders["returned_amount"].astype(int) > orders["amount"].astype(int)
    assert refunded_more.sum() == REFUNDS_WITH_SHIPPING
    assert orders.assign(day=orders["ordered_at"].str[:10]).duplicated(["customer_id", "day"]).sum() > 50
    assert orders["status"].eq("COMPLETED").sum() == 15
    assert set(good["products"]["product_name"]).issuperset(ODD_NAMES)
    assert set(good["customers"]["customer_id"]) - set(orders["customer_id"])


def test_the_business_is_plausible(good: dict) -> None:
    truth = pd.read_csv(COMMITTED / "truth.csv.gz", dtype=str)
    orders = good["orders"][good["orders"]["status"].str.lower().eq("completed")]
    orders = orders.merge(truth, on="customer_id")
    amount = orders["amount"].astype(int)
    assert 60_000 < amount[orders["latent_type"].ne("business")].mean() < 95_000
    spend = amount.groupby(orders["customer_id"]).sum().sort_values(ascending=False)
    assert 0.60 < spend.head(len(spend) // 5).sum() / spend.sum() < 0.75
    assert orders.groupby("customer_id").size().median() <= 4
