"""Broken inputs, made and not stored: values, rows, CSV and Parquet files, each with what must come of it.

What must come is one of three: the row is accepted, it is rejected with the problems named here, or the run
stops with a message that holds the words named here.
"""

import codecs
import csv
import gzip
import io
import random
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from customer_segmentation import contract

AS_OF_DATE = "2025-06-30"
CONTRACT = contract.read_contract()
CONTRACT.pop("returns")  # which the orders tell of here
NO_VALUE = [
    "",
    "  ",
    "\t",
    "\u00a0",
    "NULL",
    "null",
    "N/A",
    "#N/A",
    "NaN",
    "nan",
    "NaT",
    "<NA>",
    "None",
    "-",
    "\\N",
]

# a good row of every input; what has an id of its own in each row is {n}
GOOD = {
    "products": {"product_id": "p{n}", "product_name": "Boots", "category": "shoes", "brand": "Acme"},
    "customers": {"customer_id": "c{n}", "created_at": "2024-01-05 10:00:00"},
    "orders": {
        "order_id": "o{n}",
        "customer_id": "c1",
        "ordered_at": "2025-01-05 10:00:00",
        "amount": "5.00",
    },
    "order_items": {"order_item_id": "i{n}", "order_id": "o1", "product_id": "p1", "amount": "5.00"},
    "events": {
        "event_id": "e{n}",
        "customer_id": "c1",
        "occurred_at": "2025-01-05 10:00:00",
        "event_type": "view",
        "product_id": "p1",
    },
    "consents": {
        "customer_id": "c1",
        "channel": "email",
        "is_granted": "true",
        "changed_at": "2025-01-05 10:{minute:02}:{second:02}",
    },
}

# what is tried in every column of a type: value -> the problem, None where it is accepted
NUMBERS = {
    "5": None,
    " 5 ": None,
    "\u00a05\u00a0": None,
    "+5": None,
    "-0.0": None,
    "1e1": None,
    "1.234,56": "wrong_type",
    "5,0": "wrong_type",
    "1,234.56": "wrong_type",
    "1 234": "wrong_type",
    "1_234": "wrong_type",
    "1\u202f234": "wrong_type",
    "1'234": "wrong_type",
    "$5": "wrong_type",
    "5 €": "wrong_type",
    "₩5": "wrong_type",
    "5%": "wrong_type",
    "(5)": "wrong_type",
    "\uff15": "wrong_type",
    "\u22125": "wrong_type",
    "0x1F": "wrong_type",
    "five": "wrong_type",
    "true": "wrong_type",
    "2025-01-05": "wrong_type",
    "=1+1": "wrong_type",
    "inf": "wrong_type",
    "-Infinity": "wrong_type",
    "1e400": "wrong_type",
    "5\x00": "wrong_type",
    "-1": "negative",
    "999999999": "absurd",
}
TIMES = {
    "2025-01-05": None,
    "2025-01-05T10:00": None,
    "2025/1/5": None,
    " 2025-01-05 10:00:00.123456 ": None,
    "2025-01-05\u00a0": None,
    "03/04/2025": "wrong_type",
    "3.4.2025": "wrong_type",
    "04-03-2025": "wrong_type",
    "25-04-03": "wrong_type",
    "20250403": "wrong_type",
    "45000": "wrong_type",
    "45000.5": "wrong_type",
    "1735689600": "wrong_type",
    "Jan 5 2025": "wrong_type",
    "yesterday": "wrong_type",
    "today": "wrong_type",
    "epoch": "wrong_type",
    "infinity": "wrong_type",
    "2025-02-30": "wrong_type",
    "2025-13-01": "wrong_type",
    "99999-01-01": "wrong_type",
    "2025-01-05 10:00 PM": "wrong_type",
    "2025-01-05 24:00": "wrong_type",
    "2025-01-05 25:00": "wrong_type",
    "2025-01-05T10:00:00Z": "wrong_type",
    "2025-01-05 10:00:00+09:00": "wrong_type",
    "2025-01-05 10:00:00 UTC": "wrong_type",
    "2025-01-05 10:00:00 Asia/Seoul": "wrong_type",
    "\uff12\uff10\uff12\uff15-01-05": "wrong_type",
    "1899-12-31": "too_early",
    "0000-01-01": "too_early",
    "0001-01-01": "too_early",
    "2100-01-01": "after_as_of_date",
    "9999-12-31": "after_as_of_date",
}
BOOLEANS = {
    "true": None,
    "FALSE": None,
    "1": None,
    "no": None,
    "2": "wrong_type",
    "on": "wrong_type",
    "ja": "wrong_type",
    "1.0": "wrong_type",
    "0,0": "wrong_type",
}
TEXTS = {
    "caf\u00e9": None,
    "cafe\u0301": None,
    "서울": None,
    "=cmd|' /C calc'!A0": None,
    "+1": None,
    "@SUM(1)": None,
    "\u202eabc": None,
    'a "quoted", text\nof two lines': None,
    '5" pipe': None,
    "👩\u200d👧": None,
    "x" * 1000: None,
    "x" * 1001: "absurd",
    "a\x00b": "broken_text",
    "caf\ufffd": "broken_text",
    "cafÃ©": "broken_text",
    "5 \x80": "broken_text",
}
IDS = {
    "\u00a0x{n}\u200b": None,
    "00{n}": None,
    "{n}00000.0": None,
    "=x{n}": None,
    "1.23457E+11": "broken_id",
    "#REF!": "broken_id",
    "a\u200bb": "broken_id",
    "a\u00a0b": "broken_id",
    "\u202ea1": "broken_id",
    "a\nb": "broken_id",
    "a\x00b": "broken_text",
    "x" * 1001: "absurd",
}


@dataclass(frozen=True)
class Case:
    """One row, the value that is tried in it, and the problems that it is rejected for (none: accepted)."""

    input: str
    column: str
    value: str
    row: dict[str, str]
    reasons: frozenset[str]

    def __str__(self) -> str:
        """Say which value of which column it is."""
        return f"{self.input}.{self.column} = {self.value[:40]!r}"


def rows() -> list[Case]:
    """Return every value of the tables above in every column that it belongs to, of all six inputs."""
    cases = []
    for name, good in GOOD.items():
        for column, rules in CONTRACT[name]["columns"].items():
            for value, problem in _values(name, column, rules).items():
                number = 100 + len(cases)
                row = {key: _filled(text, number) for key, text in good.items()}
                if column == "changed_at":  # part of a key that repeats otherwise
                    row["channel"] = CONTRACT[name]["columns"]["channel"]["values"][number % 6]
                row[column] = value = value.replace("{n}", str(number))
                cases.append(Case(name, column, value, row, _reasons(rules, column, value, problem)))
    return cases


def good_rows(name: str) -> list[dict[str, str]]:
    """Return a row that the others may refer to."""
    return [{key: _filled(text, 1) for key, text in GOOD[name].items()}]


def _filled(text: str, number: int) -> str:
    return text.format(n=number, minute=number // 60 % 60, second=number % 60)


def _values(name: str, column: str, rules: dict) -> dict[str, str | None]:
    nothing = dict.fromkeys(
        NO_VALUE, "missing" if rules.get("required") and not rules.get("may_be_empty") else None
    )
    if rules["type"] in ("decimal", "integer"):
        return (
            nothing | NUMBERS | ({"1.5": "wrong_type"} if rules["type"] == "integer" else {"1.23456": None})
        )
    if rules["type"] in ("date", "timestamp"):
        late = {value: None for value, problem in TIMES.items() if problem == "after_as_of_date"}
        earliest = rules.get("earliest", "1970-01-01")
        early = {
            value: None for value, problem in TIMES.items() if problem == "too_early" and value >= earliest
        }
        return nothing | TIMES | early | (late if rules.get("known_later") else {})
    if rules["type"] == "boolean":
        return nothing | BOOLEANS
    if column.endswith("_id"):
        return nothing | IDS
    if "values" in rules:
        first = rules["values"][0]
        good = {first.upper(): None, f"\u200b {first}\u00a0": None}
        bad = {value: problem or "unknown_value" for value, problem in TEXTS.items()}
        return nothing | good | bad | {"cafÃ©": "unknown_value"}  # in lower case it is not seen to be broken
    return nothing | TEXTS


def _reasons(rules: dict, column: str, value: str, problem: str | None) -> frozenset[str]:
    problems = {problem} if problem else set()
    is_there = value not in NO_VALUE
    if "references" in rules and is_there:
        problems.add("unknown_reference")
    if "values" in rules and problem:
        problems.add("unknown_value")
    if problem == "missing":
        problems = {"missing"}
    return frozenset(f"{one}:{column}" for one in problems)


def as_csv(rows: list[dict[str, str]], columns: list[str]) -> bytes:
    """Return rows as a well-formed CSV file."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


HEADER = "order_id,customer_id,ordered_at,amount,channel"


def lines(prefix: str, count: int = 3) -> list[str]:
    """Return good lines of orders whose ids begin with the prefix."""
    return [f"{prefix}{number},c1,2025-01-0{number % 9 + 1},{number}.50,web" for number in range(count)]


def text(prefix: str, *more: str, header: str = HEADER, count: int = 3) -> str:
    """Return a file of good lines and some more."""
    return "\n".join([header, *lines(prefix, count), *more, ""])


@dataclass(frozen=True)
class File:
    """A file whose rows all arrive: how many are accepted, and for which reasons others are rejected."""

    content: bytes
    accepted: int
    rejected: dict[str, int] = field(default_factory=dict)
    ending: str = ".csv"


def _late(line: str) -> str:
    return text("late", *lines("late", 30_000), line, count=0)


def readable_files() -> dict[str, File]:
    """Return files of orders that are unusual but can be read, by the name of what is unusual."""
    return {
        "UTF-8 with a byte-order mark": File(codecs.BOM_UTF8 + text("bom").encode(), 3),
        "CR line ends": File(text("cr").replace("\n", "\r").encode(), 3),
        "CRLF line ends": File(text("crlf").replace("\n", "\r\n").encode(), 3),
        "line ends mixed": File(
            (text("m1") + "\r\n".join(lines("m2")) + "\r" + "\n".join(lines("m3"))).encode(), 9
        ),
        "no line end at the end": File(text("noend").rstrip("\n").encode(), 3),
        "semicolons": File(text("semi").replace(",", ";").encode(), 3),
        "tabs": File(text("tab").replace(",", "\t").encode(), 3),
        "bars": File(text("bar").replace(",", "|").encode(), 3),
        "everything in quotes": File(
            ("\n".join('"' + line.replace(",", '","') + '"' for line in text("q").splitlines())).encode(), 3
        ),
        "header in capitals, with spaces and quotes": File(
            text("head", header=' ORDER_ID,"Customer_ID" , ordered_at,AMOUNT,"channel"').encode(), 3
        ),
        "a line break in the header": File(text("hbreak", header=HEADER + ',"a\nb"').encode(), 3),
        "a column too many": File(text("more", header=HEADER + ",note").encode(), 3),
        "a column that may be missing": File(
            "\n".join(
                [
                    "order_id,customer_id,ordered_at,amount",
                    *[line.removesuffix(",web") for line in lines("less")],
                ]
            ).encode(),
            3,
        ),
        "a column without a name": File(
            "\n".join(
                [f",{HEADER}", *[f"{number},{line}" for number, line in enumerate(lines("noname"))]]
            ).encode(),
            3,
        ),
        "blank lines before and within": File(("\n\n" + text("blank", "", "", *lines("blank2"))).encode(), 6),
        "header only": File(HEADER.encode(), 0),
        "empty": File(b"", 0),
        "compressed": File(text("gz").encode(), 3, ending=".csv.gz"),
        "too few fields": File(text("few", "few9,c1,2025-01-05").encode(), 3, {"missing:amount": 1}),
        "too many fields": File(
            text("many", "many9,c1,2025-01-05,1,234.50,web").encode(), 4 - 1, {"broken_row:fields": 1}
        ),
        "too many fields on line 30,000": File(
            _late("late9,c1,2025-01-05,1,234.50,web").encode(), 30_000, {"broken_row:fields": 1}
        ),
        "the first quotes on line 30,000": File(
            _late('l9,c1,2025-01-05,1.50,"web, or app"').replace("late", "first").encode(), 30_001
        ),
        "a line break in quotes": File(text("nl", 'nl9,c1,2025-01-05,1.50,"web\nor app"').encode(), 4),
        "doubled quotes": File(text("dq", 'dq9,c1,2025-01-05,1.50,"5"" pipe"').encode(), 4),
        "a lone quote within a value": File(text("lq", 'lone9,c1,2025-01-05,1.50,5" pipe').encode(), 4),
        "a quote that is not closed": File(
            text("open", 'open9,c1,2025-01-05,1.50,"web', *lines("lost")).encode(), 3, {"broken_row:lines": 1}
        ),
        "two quotes that swallow lines": File(
            text("sw", 'sw9,c1,2025-01-05,1.50,"web', *lines("lost"), 'sw8,c1,2025-01-05,1.50,web"').encode(),
            3,
            {"broken_row:lines": 1},
        ),
        "10 MB in one field": File(
            text("big", f"big9,c1,2025-01-05,1.50,{'x' * 10_000_000}").encode(), 3, {"absurd:channel": 1}
        ),
        "zero bytes": File(
            text("zero", "zero9,c\x001,2025-01-05,1.50,web").encode(), 3, {"broken_text:customer_id": 1}
        ),
        "an end-of-file mark": File(
            text("eof", "\x1a").encode(),
            3,
            {"broken_text:order_id, missing:ordered_at, missing:amount": 1},
        ),
        "a line of sums at the end": File(
            text("sum", "Total,,,12.50,").encode(), 3, {"missing:ordered_at": 1}
        ),
        "nulls everywhere": File(
            text("null", "NULL,N/A,-,null,None").encode(),
            3,
            {"missing:ordered_at, missing:amount": 1},
        ),
        "apostrophes": File(text("ap", "ap9,c1,2025-01-05,1.50,O'Neil's 'web'").encode(), 4),
        "a hash at the start of a line": File(text("hash", "#9,c1,2025-01-05,1.50,web").encode(), 4),
        "a column without a value": File(
            "\n".join([HEADER + ",status", *[line + "," for line in lines("hollow")]]).encode(), 3
        ),
        "the separator at the end of the header": File(
            "\n".join([HEADER + ",", *[line + "," for line in lines("trail")]]).encode(), 3
        ),
    }


def wide_customers() -> bytes:
    """Return a file of three customers and 2,000 columns that nobody asked for."""
    header = "customer_id" + "".join(f",x{number}" for number in range(2000))
    return "\n".join([header, *[f"c{number}" + "," * 2000 for number in range(3)]]).encode()


def unreadable_files() -> dict[str, tuple[bytes, str, list[str]]]:
    """Return files that stop the run: content, ending, and words that the message must hold."""
    korean = text("x", "x9,서울,2025-01-05,1.50,매장")
    western = text("x", "x9,Zoë,2025-01-05,1.50,5 €")
    zipped = gzip.compress(text("x", count=1000).encode())
    workbook = b"PK\x03\x04\x14\x00\x06\x00\x08\x00" + random.Random(1).randbytes(2000)
    return {
        "CP949": (korean.encode("cp949"), ".csv", ["line 5 is not UTF-8", "iconv -f"]),
        "CP1252": (western.encode("cp1252"), ".csv", ["line 5 is not UTF-8", "iconv -f CP1252"]),
        "Latin-1": (text("x", "x9,Zoë,2025-01-05,1,a").encode("latin-1"), ".csv", ["line 5 is not UTF-8"]),
        "UTF-16": (text("x").encode("utf-16"), ".csv", ["iconv -f UTF-16"]),
        "UTF-16 without a mark": (text("x").encode("utf-16-le"), ".csv", ["zero bytes", "iconv -f UTF-16"]),
        "UTF-16, big end first": (
            codecs.BOM_UTF16_BE + text("x").encode("utf-16-be"),
            ".csv",
            ["iconv -f UTF-16"],
        ),
        "a workbook called CSV": (workbook, ".csv", ["a workbook", "CSV UTF-8"]),
        "a workbook": (workbook, ".xlsx", ["a workbook", "CSV UTF-8"]),
        "compressed, called CSV": (zipped, ".csv", ["compressed", ".csv.gz"]),
        "compressed and cut off": (zipped[: len(zipped) // 2], ".csv.gz", ["GZIP stream", "bad.csv.gz"]),
        "not compressed, called so": (text("x").encode(), ".csv.gz", ["GZIP stream", "bad.csv.gz"]),
        "CSV called Parquet": (text("x").encode(), ".parquet", ["magic bytes", "bad.parquet"]),
        "an empty file called Parquet": (b"", ".parquet", ["bad.parquet"]),
        "JSON lines": (b'{"customer_id": 1}\n', ".jsonl", ["read_json("]),
        "empty": (b"", ".csv", ["is empty"]),
        "header only": (HEADER.encode(), ".csv", ["has no rows"]),
        "zero bytes only": (bytes(1000), ".csv", ["zero bytes"]),
        "no header": ("\n".join(lines("x")).encode(), ".csv", ["no column 'customer_id'", "It has: x0, c1"]),
        "a title above the header": (("Orders 2025\n" + text("x")).encode(), ".csv", ["It has: Orders 2025"]),
        "a web page": (b"<!DOCTYPE html><html>Not found</html>\n", ".csv", ["It has: <!DOCTYPE html>"]),
        "a line for a spreadsheet": (("sep=,\n" + text("x")).encode(), ".csv", ["for a spreadsheet alone"]),
        "colons between columns": (text("x").replace(",", ":").encode(), ".csv", ["one column only"]),
        "a header with a letter of another script": (
            text("x", header=HEADER.replace("amount", "am\u043eunt")).encode(),
            ".csv",
            ["no column 'amount'", "a letter of another script"],
        ),
        "a header twice the same": (
            text("x", header="order_id,customer_id,ordered_at,amount,Amount").encode(),
            ".csv",
            ["'amount' more than once"],
        ),
        "a required column missing": (
            text("x", header="order_id,buyer,ordered_at,amount,channel").encode(),
            ".csv",
            ["no column 'customer_id'", "buyer"],
        ),
        "text behind a closing quote": (
            text("x", 'x9,c1,2025-01-05,1,"we"b').encode(),
            ".csv",
            ["line 5", '"we"b', "doubled"],
        ),
        "a line of more than 16 MB": (
            text("x", "y" * 17_000_000).encode(),
            ".csv",
            ["line 5 is longer than 16 MB"],
        ),
    }


# Parquet: (customer_id, ordered_at, amount, status) in types of their own, and the reasons
TYPED_ORDERS = {
    ("17850.0::double", "date '2025-01-05'", "5::utinyint", "null"): None,
    ("17850::decimal(38, 10)", "timestamp_ns '2025-01-05 10:00:00'", "5::decimal(38, 10)", "'pending'"): None,
    ("17850::ubigint", "timestamp_s '2025-01-05 10:00:00'", "-0.0::double", "null"): None,
    ("1e18::double", "date '2025-01-05'", "5::hugeint", "null"): "broken_id:customer_id",
    ("'a'", "date '2025-01-05'", "'nan'::double", "null"): "wrong_type:amount",
    ("'a'", "date '2025-01-05'", "'inf'::double", "null"): "wrong_type:amount",
    ("'a'", "date '2025-01-05'", "true", "null"): "wrong_type:amount",
    ("'a'", "date '2025-01-05'", "date '2025-01-05'", "null"): "wrong_type:amount",
    ("'a'", "date 'infinity'", "5", "null"): "after_as_of_date:ordered_at",
    ("'a'", "45000", "5", "null"): "wrong_type:ordered_at",
    ("'a'", "45000.5::double", "5", "null"): "wrong_type:ordered_at",
    ("'a'", "time '10:00:00'", "5", "null"): "wrong_type:ordered_at",
    ("'a'", "null", "5", "1"): "missing:ordered_at, unknown_value:status",
}

# expressions for columns of a good file that stop the run, and words of the message
EXPRESSIONS = {
    "a time with a zone": ({"ordered_at": "timestamptz '2025-01-05 10:00:00+09'"}, ["timezone('"]),
    "a list": ({"customer_id": "['a']"}, ["inputs.orders.columns.customer_id", "[1]"]),
    "a struct": ({"amount": "{'a': 1}"}, ["inputs.orders.columns.amount", ".value"]),
    "binary": ({"customer_id": "'a'::blob"}, ["inputs.orders.columns.customer_id", "decode("]),
    "a name mistyped": ({"amount": "amuont * 2"}, ["inputs.orders.columns.amount", "amuont"]),
    "no SQL": ({"amount": "amount +"}, ["inputs.orders.columns.amount", "syntax error"]),
    "an unknown function": (
        {"channel": "frobnicate(channel)"},
        ["inputs.orders.columns.channel", "frobnicate"],
    ),
    "a value that it can't convert": ({"amount": "cast(channel as double)"}, ["'web'", "try_cast"]),
    "a date that it can't parse": (
        {"ordered_at": "strptime(ordered_at, '%d.%m.%Y')"},
        ["2025-01", "try_strptime"],
    ),
}


def parsed(content: bytes) -> list[list[str]]:
    """Return the rows of a CSV file below its header as Python reads them, blank lines left out.

    What is no good CSV, such as a quote inside of quotes, it reads as far as it can.
    """
    csv.field_size_limit(10**9)
    for strict in (True, False):
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        with suppress(csv.Error):
            return [row for row in csv.reader(text, skipinitialspace=True, strict=strict) if row][1:]
    raise AssertionError("Python can't read it")


def write(folder: Path, name: str, content: bytes) -> str:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(content)
    return str(path)
