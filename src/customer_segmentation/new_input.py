"""A vars file to begin with, from a look at a file of orders: `segmentation new-input FILE`.

What a known export looks like stands in forms/. Of other files the columns are guessed by their names and
values, and what is not sure is marked: somebody has to look at it.
"""

import codecs
import csv
import gzip
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import yaml

from customer_segmentation.environment import PROJECT
from customer_segmentation.errors import ReadableError

FORMS = Path(__file__).parent / "forms"
SAMPLE = 20_000  # rows that are looked at
BYTES = 4_000_000
SEPARATORS = ",;\t|"

# {contract column: what it is called elsewhere}, the more telling words first
CALLED = {
    "order_id": (
        r"order.?(id|no|nr|number|num)|invoice.?(id|no|nr|number)?|bestell.?nr|beleg|receipt|주문.?번호|^order$"
    ),
    "customer_id": (
        r"(customer|client|member|user|buyer|account|kunden?).?(id|no|nr|number|code)?$|회원|고객|주문자"
    ),
    "ordered_at": r"(order|invoice|purchase|created|sale).?(at|on|time)$|date|datum|placed|일시|일자|날짜",
    "amount": r"total|amount|betrag|umsatz|revenue|net.?sales|sales|paid|sum(me)?$|금액|매출",
    "quantity": r"quantity|qty|pieces|units|menge|anzahl|수량",
    "unit_price": r"(unit|item|list|each).?price|^price$|^preis$|stückpreis|판매가|단가",
    "product_id": r"(product|article|item|sku|stock).?(id|no|nr|number|code)?$|artikel|상품.?(번호|코드)",
    "product_name": r"(product|article|item).?name|description|bezeichnung|title|상품명",
    "channel": r"channel|source|kanal|채널",
}
WANTED = (
    "order_id",
    "customer_id",
    "ordered_at",
    "amount",
    "quantity",
    "unit_price",
    "product_id",
    "product_name",
    "channel",
)
NUMBERS = ("amount", "quantity", "unit_price")


class NewInputError(ReadableError):
    """The file can't be looked at."""


@dataclass
class Look:
    """What a look at a file finds: how it is written, its columns, and some rows as texts."""

    names: list[str]
    rows: list[dict[str, str]]
    encoding: str | None = None
    notes: list[str] = field(default_factory=list)

    def values(self, name: str) -> list[str]:
        """The values of a column that are there."""
        return [value for row in self.rows if (value := (row.get(name) or "").strip())]


def vars_for(path: Path, database: str) -> str:
    """Return the text of a vars file for orders in a CSV or Parquet file.

    Raise a NewInputError where the file is neither, or holds no rows.
    """
    if not path.is_file():
        raise NewInputError(f"There is no file {path}.")
    look = look_at_parquet(path) if path.suffix == ".parquet" else look_at_csv(path)
    if not look.rows:
        raise NewInputError(f"{path} has no rows below its header: there is nothing to go by.")
    place = _place(path)
    for form in _forms():
        if set(form["recognised_by"]) <= set(look.names):
            return _of_form(form, look, place, database)
    return _guessed(look, place, database)


def look_at_parquet(path: Path) -> Look:
    """Look at the first rows of a Parquet file."""
    try:
        with duckdb.connect() as connection:
            found = connection.execute("from read_parquet(?) limit ?", [str(path), SAMPLE])
            names = [column[0] for column in found.description or []]
            values = found.fetchall()
    except duckdb.Error as error:
        raise NewInputError(f"{path} is no Parquet file that can be read: {error}") from error
    texts = [["" if value is None else str(value) for value in row] for row in values]
    return Look(names, [dict(zip(names, row, strict=True)) for row in texts])


def look_at_csv(path: Path) -> Look:
    """Look at the first rows of a CSV file, in whatever encoding and with whatever separator it is."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        start = file.read(BYTES)
    if len(start) == BYTES:
        start = start[: start.rfind(b"\n") + 1]
    encoding, note = encoding_of(start)
    text = start.decode(encoding)
    header = text.lstrip("\ufeff\r\n").splitlines()[0] if text.strip() else ""
    bare = re.sub('"[^"]*"', "", header)
    separator = max(SEPARATORS, key=bare.count)
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff\r\n"), newline=""), delimiter=separator)
    names = [name.strip() for name in reader.fieldnames or []]
    rows = []
    for row in reader:
        rows.append({str(name).strip(): value for name, value in row.items() if isinstance(value, str)})
        if len(rows) == SAMPLE:
            break
    return Look(names, rows, None if encoding in ("ascii", "utf-8") else encoding, [note] if note else [])


def encoding_of(start: bytes) -> tuple[str, str | None]:
    """Return the encoding of text, and what to check about it.

    UTF-8 and UTF-16 show themselves. What is neither is Korean if it reads as Korean, and otherwise taken for
    Western: a guess, since any bytes are text in CP1252.
    """
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", None
    try:
        start.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8", None
    try:
        korean = start.decode("cp949")
    except UnicodeDecodeError:
        korean = ""
    if len(re.findall("[가-힣]", korean)) > len(re.findall("[一-龥]", korean)):
        return "cp949", "encoding: it reads as Korean"
    word = re.search(rb"[\w .]{0,15}[\x80-\xff][\w .\x80-\xff]{0,15}", start)
    shown = word[0].decode("cp1252", "replace") if word else ""
    try:
        start.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1", f"encoding: it is not UTF-8; is this right? {shown}"
    return "cp1252", f"encoding: it is not UTF-8; is this right? {shown}"


@dataclass(frozen=True)
class DateForm:
    """A form of dates, and the value that decides for it; without one, it could be another form as well."""

    form: str | None  # None: ISO
    decided_by: str | None


def date_form(values: Iterable[str]) -> DateForm | None:
    """Return the form of dates; None if these are none.

    12/1/2010 may be of January or of December: only a value with a number above 12 decides.
    """
    some = list(dict.fromkeys(values))[:SAMPLE]
    if not some:
        return None
    if all(
        re.match(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?$", value)
        for value in some
    ):
        return DateForm(None, some[0])
    if all(re.fullmatch(r"(19|20)\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])", value) for value in some):
        return DateForm("yyyymmdd", some[0])
    pattern = re.compile(
        r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?: \d{1,2}:\d{2}(?::\d{2})?(?: ?[AaPp][Mm])?)?$"
    )
    parts = [pattern.match(value) for value in some]
    if not all(parts):
        return None
    found = [part for part in parts if part]
    mark, year = found[0][2], "yyyy" if len(found[0][4]) == 4 else "yy"
    first = next((part[0] for part in found if int(part[1]) > 12), None)
    second = next((part[0] for part in found if int(part[3]) > 12), None)
    if first and second:
        return None
    if second or (not first and mark == "/"):
        return DateForm(f"m{mark}d{mark}{year}", second)
    return DateForm(f"d{mark}m{mark}{year}", first)


def decimal_mark(values: Iterable[str]) -> tuple[str | None, str | None, bool] | None:
    """Return (the mark to declare, a value that shows it, whether it is sure); None of what is no number."""
    some = list(dict.fromkeys(values))
    number = re.compile(r"[-+]?\d[\d., \u00a0\u202f']*")
    if not some or sum(bool(number.fullmatch(value)) for value in some) < 0.95 * len(some):
        return None
    grouped = next((value for value in some if re.search(r"\d\.\d{3},\d", value)), None)
    if grouped:
        return ",", grouped, True
    grouped = next((value for value in some if re.search(r"\d,\d{3}(\.\d|,\d{3})", value)), None)
    if grouped:
        return ".", grouped, True
    comma = next((value for value in some if re.search(r",\d{1,2}$|,\d{4,}$", value)), None)
    if comma:
        return ",", comma, True
    thousand = next((value for value in some if re.search(r",\d{3}$", value)), None)
    return (".", thousand, False) if thousand else (None, None, True)


def _forms() -> Iterator[dict[str, Any]]:
    for path in sorted(FORMS.glob("*.yml")):
        yield yaml.safe_load(path.read_text(encoding="utf-8"))


def _place(path: Path) -> str:
    """How the mapping names a file: from the project's folder if it is in there."""
    whole = path.absolute()
    return whole.relative_to(PROJECT).as_posix() if whole.is_relative_to(PROJECT) else whole.as_posix()


def _of_form(form: dict[str, Any], look: Look, place: str, database: str) -> str:
    text = form["vars"].replace("FILE", place).replace("DATABASE", database)
    found = date_form(look.values(form["dates_of"])) if "dates_of" in form else None
    for key, value in {"encoding: ENCODING": look.encoding, "dates: DATES": _declared_dates(found)}.items():
        filled = rf"\1{key.split()[0]} {value}\n" if value else ""
        text = re.sub(rf"( *){key}\n", filled, text)
    head = [f"# {form['title']}: recognised by its columns. Look at the lines with `check:`."]
    return "\n".join([*head, *(f"# check: {note}" for note in look.notes), text])


def _declared_dates(found: DateForm | None) -> str | None:
    """What is declared of dates, with the value that decides; nothing where they are ISO."""
    if found is None or found.form is None:
        return None
    doubt = "check: no value decides between day and month"
    return f"{found.form}   # {f'{found.decided_by} decides' if found.decided_by else doubt}"


def _guessed(look: Look, place: str, database: str) -> str:
    """The mapping of an unknown file."""
    columns, doubts = guessed_columns(look)
    lines = [
        "# No known export: columns are guessed by their names and values. Look at the lines with `check:`.",
        f"database: {database}",
        "currency: EUR                       # check",
        "time_zone: Europe/Berlin            # check: the clock of the times",
        "inputs:",
        "  orders:",
        f"    file: {place}",
    ]
    if look.encoding:
        lines.append(f"    encoding: {look.encoding}" + "".join(f"   # check: {note}" for note in look.notes))
    dates = _declared_dates(date_form(look.values(columns.get("ordered_at", ""))))
    if dates:
        lines.append(f"    dates: {dates}")
    found = [decimal_mark(look.values(columns[name])) for name in NUMBERS if name in columns]
    marks = [mark for mark in found if mark and mark[0]]
    # one that is sure, if there is any
    for mark, value, is_sure in sorted(marks, key=lambda mark: not mark[2])[:1]:
        told = f"as in {value}" if is_sure else f"check: is {value} a thousand and more?"
        lines.append(f'    decimal: "{mark}"   # {told}')
    if is_of_lines(look, columns):
        lines.append("    grain: line   # rows share an order id: each is a line of an order")
    if any(
        value.startswith("-")
        for name in ("amount", "quantity")
        if name in columns
        for value in look.values(columns[name])
    ):
        lines.append("    returns: negative   # check: are rows below zero returns or credit notes?")
    lines.append("    columns:")
    for name, column in columns.items():
        doubt = f"   # check: {doubts[name]}" if name in doubts else ""
        lines.append(f"      {name}: {_quoted(column)}{doubt}")
    for name in ("customer_id", "ordered_at", "amount"):
        if name not in columns and not (name == "amount" and {"quantity", "unit_price"} <= columns.keys()):
            lines.append(f"      {name}:   # check: found no such column. There are: {', '.join(look.names)}")
    return "\n".join([*lines, ""])


def guessed_columns(look: Look) -> tuple[dict[str, str], dict[str, str]]:
    """Return ({contract column: column}, {contract column: why to look at it})."""
    columns: dict[str, str] = {}
    doubts: dict[str, str] = {}
    for wanted in WANTED:
        named = [
            name
            for name in look.names
            if name not in columns.values()
            and re.search(CALLED[wanted], name, re.IGNORECASE)
            and _fits(wanted, look.values(name))
        ]
        exact = [name for name in named if name.lower() == wanted]
        if exact or named:
            columns[wanted] = (exact or named)[0]
            if len(named) > 1 and not exact:
                doubts[wanted] = f"or is it {' or '.join(named[1:])}?"
    if "amount" in columns and {"quantity", "unit_price"} <= columns.keys():
        doubts["amount"] = "of the line, or of the order? Without it quantity times unit_price counts"
    elif "amount" in columns and is_of_lines(look, columns) and _is_total(look, columns):
        doubts["amount"] = "it is the same in all rows of an order: is it of the order, and not of the line?"
    return columns, doubts


def is_of_lines(look: Look, columns: dict[str, str]) -> bool:
    """Tell whether rows share an order id."""
    ids = look.values(columns["order_id"]) if "order_id" in columns else []
    return len(set(ids)) < 0.9 * len(ids)


def _is_total(look: Look, columns: dict[str, str]) -> bool:
    """Tell whether all rows of an order have the same amount, as a total that is written on each line."""
    amounts: dict[str, list[str]] = {}
    for row in look.rows:
        amounts.setdefault(row.get(columns["order_id"]) or "", []).append(row.get(columns["amount"]) or "")
    several = [values for values in amounts.values() if len(values) > 1]
    return bool(several) and all(len(set(values)) == 1 for values in several)


def _fits(wanted: str, values: list[str]) -> bool:
    """Whether values can be what a column of the contract holds."""
    if not values:
        return False
    if wanted == "ordered_at":
        return date_form(values) is not None
    if wanted in NUMBERS:
        return decimal_mark(values) is not None
    return True


def _quoted(column: str) -> str:
    """A name as YAML reads it."""
    return (
        column
        if re.fullmatch(r"[^\W\d][\w .()/-]*", column) and ": " not in column
        else yaml.safe_dump(column, allow_unicode=True, width=1000).splitlines()[0]
    )
