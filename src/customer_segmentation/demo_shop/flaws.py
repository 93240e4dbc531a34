"""Bad rows of every kind, repetitions and odd spellings, mixed into the good rows in known numbers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_segmentation.demo_shop.calendar import timestamps
from customer_segmentation.demo_shop.chance import stream
from customer_segmentation.demo_shop.tables import DAY, DAYS
from customer_segmentation.demo_shop.text import names


@dataclass(frozen=True)
class Flaw:
    """Rows that must be rejected for one reason: copies of good rows under new keys with a bad value."""

    input: str
    reason: str  # problem:column
    rows: int
    values: tuple[str, ...]  # taken in turn

    @property
    def column(self) -> str:
        """The column with the bad value."""
        return self.reason.partition(":")[2]


MOJIBAKE = tuple(word.encode().decode("latin-1") for word in ("서울", "부산", "선물세트"))
BROKEN_TEXT = ("서\ufffd울", *MOJIBAKE, "\ufffd\ufffd", "bell\x07", "esc\x1b[0m")
NO_NUMBER = ("NaN", "12,500원", "inf", "free", "-Infinity")
NO_INTEGER = ("two", "세 명")
NO_TIME = ("yesterday", "2025-13-45 10:00:00", "2025-02-30 12:00:00", "어제")
NO_DATE = ("1990-02-30", "unknown", "31.12.1985")
ANCIENT = ("1900-01-01 00:00:00", "0202-05-11 10:30:00", "1969-12-31 23:59:59")
FAR_FUTURE = ("2099-12-31 10:00:00", "2206-06-01 09:15:00", "2028-01-01 00:00:00", "9999-12-31 00:00:00")
NEGATIVE = ("-5000", "-100", "-0.01")
ABSURD = ("100000001", "999999999999", "1e12")

FLAWS = (
    Flaw("orders", "missing:ordered_at", 4, ("",)),
    Flaw("orders", "missing:amount", 6, ("",)),
    Flaw("orders", "wrong_type:ordered_at", 5, NO_TIME),
    Flaw("orders", "wrong_type:amount", 7, NO_NUMBER),
    Flaw("orders", "wrong_type:discount_amount", 3, NO_NUMBER),
    Flaw("orders", "wrong_type:returned_amount", 2, NO_NUMBER),
    Flaw("orders", "wrong_type:returned_at", 3, NO_TIME),
    Flaw("orders", "wrong_type:cost_amount", 4, NO_NUMBER),
    Flaw("orders", "wrong_type:updated_at", 2, NO_TIME),
    Flaw("orders", "too_early:ordered_at", 4, ANCIENT),
    Flaw("orders", "too_early:returned_at", 2, ANCIENT),
    Flaw("orders", "after_as_of_date:ordered_at", 8, FAR_FUTURE),
    Flaw("orders", "negative:amount", 9, NEGATIVE),
    Flaw("orders", "negative:discount_amount", 3, NEGATIVE),
    Flaw("orders", "negative:returned_amount", 4, NEGATIVE),
    Flaw("orders", "negative:cost_amount", 2, NEGATIVE),
    Flaw("orders", "absurd:amount", 5, ABSURD),
    Flaw("orders", "absurd:cost_amount", 2, ABSURD),
    Flaw("orders", "unknown_value:status", 6, ("shipped", "완료", "complete?")),
    Flaw("orders", "broken_text:channel", 7, BROKEN_TEXT),
    Flaw("customers", "missing:customer_id", 4, ("",)),
    Flaw("customers", "wrong_type:created_at", 2, NO_TIME),
    Flaw("customers", "wrong_type:birth_date", 6, NO_DATE),
    Flaw("customers", "wrong_type:household_size", 3, NO_INTEGER),
    Flaw("customers", "wrong_type:city_population", 2, NO_INTEGER),
    Flaw("customers", "wrong_type:valid_from", 2, NO_TIME),
    Flaw("customers", "too_early:birth_date", 5, ("1823-04-01", "0001-01-01", "1899-12-31")),
    Flaw("customers", "too_early:created_at", 2, ANCIENT),
    Flaw("customers", "after_as_of_date:created_at", 3, FAR_FUTURE),
    Flaw("customers", "after_as_of_date:birth_date", 4, ("2099-01-01", "2085-06-30")),
    Flaw("customers", "negative:household_size", 2, ("-1",)),
    Flaw("customers", "negative:children", 3, ("-1", "-2")),
    Flaw("customers", "negative:employees", 2, ("-40",)),
    Flaw("customers", "absurd:household_size", 4, ("99", "51", "1985")),
    Flaw("customers", "absurd:employees", 2, ("50000000",)),
    Flaw("customers", "absurd:city_population", 3, ("1200000000",)),
    Flaw("customers", "unknown_value:kind", 2, ("robot",)),
    Flaw("customers", "unknown_value:age_band", 3, ("25 to 34", "thirties")),
    Flaw("customers", "unknown_value:gender", 7, ("F", "여", "n/k")),
    Flaw("customers", "unknown_value:marital_status", 3, ("it's complicated", "기혼")),
    Flaw("customers", "unknown_value:home_ownership", 2, ("tent",)),
    Flaw("customers", "broken_text:city", 6, BROKEN_TEXT),
    Flaw("customers", "broken_text:region", 3, MOJIBAKE),
    Flaw("order_items", "missing:order_id", 3, ("",)),
    Flaw("order_items", "missing:product_id", 5, ("",)),
    Flaw("order_items", "missing:amount", 4, ("",)),
    Flaw("order_items", "wrong_type:quantity", 3, NO_NUMBER),
    Flaw("order_items", "wrong_type:amount", 6, NO_NUMBER),
    Flaw("order_items", "wrong_type:discount_amount", 2, NO_NUMBER),
    Flaw("order_items", "negative:quantity", 5, ("-1", "-3")),
    Flaw("order_items", "negative:amount", 7, NEGATIVE),
    Flaw("order_items", "negative:discount_amount", 2, NEGATIVE),
    Flaw("order_items", "absurd:quantity", 3, ("5000000", "1000001")),
    Flaw("order_items", "absurd:amount", 4, ABSURD),
    Flaw("order_items", "unknown_reference:order_id", 11, ("O99999", "OX0001", "OX0002")),  # OX: rejected
    Flaw("order_items", "unknown_reference:product_id", 9, ("P999", "PX0001", "p-unknown")),
    Flaw("order_items", "broken_text:order_item_id", 2, ("I\ufffd1", "I\x072")),
    Flaw("products", "missing:product_id", 2, ("",)),
    Flaw("products", "wrong_type:updated_at", 3, NO_TIME),
    Flaw("products", "too_early:updated_at", 2, ANCIENT),
    Flaw("products", "broken_text:product_name", 6, BROKEN_TEXT),
    Flaw("products", "broken_text:category", 2, MOJIBAKE),
    Flaw("products", "broken_text:brand", 3, MOJIBAKE),
    Flaw("events", "missing:customer_id", 7, ("",)),
    Flaw("events", "missing:occurred_at", 3, ("",)),
    Flaw("events", "missing:event_type", 4, ("",)),
    Flaw("events", "wrong_type:occurred_at", 6, NO_TIME),
    Flaw("events", "too_early:occurred_at", 5, ANCIENT),
    Flaw("events", "after_as_of_date:occurred_at", 9, FAR_FUTURE),
    Flaw("events", "unknown_reference:product_id", 8, ("P999", "PX0002")),
    Flaw("events", "unknown_value:event_type", 10, ("hover", "teleport", "구매")),
    Flaw("events", "broken_text:device", 3, BROKEN_TEXT),
    Flaw("events", "broken_text:channel", 5, BROKEN_TEXT),
    Flaw("consents", "missing:customer_id", 3, ("",)),
    Flaw("consents", "missing:channel", 2, ("",)),
    Flaw("consents", "missing:is_granted", 5, ("",)),
    Flaw("consents", "missing:changed_at", 4, ("",)),
    Flaw("consents", "wrong_type:is_granted", 6, ("maybe", "ask later")),
    Flaw("consents", "wrong_type:changed_at", 3, NO_TIME),
    Flaw("consents", "too_early:changed_at", 2, ANCIENT),
    Flaw("consents", "after_as_of_date:changed_at", 7, FAR_FUTURE),
    Flaw("consents", "unknown_reference:customer_id", 8, ("C9999", "CX0001", "nobody")),
    Flaw("consents", "unknown_value:channel", 4, ("fax", "pigeon")),
)


@dataclass(frozen=True)
class Repetition:
    """Rows that repeat a key: exact copies, and older versions in which one column had another value."""

    input: str
    key: tuple[str, ...]
    copies: int
    older: int = 0
    changed: str = ""
    before: str = ""


ORDERS_OF_NOBODY = 240

REPETITIONS = (
    Repetition("orders", ("order_id",), copies=5, older=7, changed="status", before="pending"),
    Repetition(
        "customers", ("customer_id", "valid_from"), copies=4, older=6, changed="income_band", before=""
    ),
    Repetition("order_items", ("order_item_id",), copies=10),
    Repetition("products", ("product_id",), copies=3, older=2, changed="brand", before="이름 미정"),
    Repetition("events", ("event_id",), copies=12),
    Repetition("consents", ("customer_id", "channel", "changed_at"), copies=9),
)

# Legitimate spellings: the input, the column, the value as it is written now and then, how often.
SPELLINGS = (
    ("orders", "status", "COMPLETED", 15),
    ("orders", "status", " completed ", 9),
    ("customers", "gender", "FEMALE", 8),
    ("customers", "gender", " Male", 5),
    ("customers", "city", " 서울 ", 6),
    ("events", "event_type", "VIEW", 12),
    ("events", "event_type", " add_to_cart", 7),
    ("consents", "channel", "Email ", 10),
)


def new_keys(rows: pd.DataFrame, name: str, first: int) -> pd.DataFrame:
    """The rows under keys that no good row has: with an X, or for consents a moment of their own."""
    numbers = np.arange(first, first + len(rows))
    if name == "consents":
        return rows.assign(changed_at=timestamps((DAYS - 90) * DAY + 7 * numbers))
    key = rows.columns[0]
    return rows.assign(**{key: names(rows[key].iloc[0][0] + "X", numbers, 4)})


def bad_rows(name: str, good: pd.DataFrame) -> pd.DataFrame:
    """Rows of an input that must be rejected, each for one reason of FLAWS."""
    rng = stream(f"flaws {name}")
    sound = good[good["status"].eq("completed") & good["returned_at"].eq("")] if name == "orders" else good
    parts = []
    first = 1
    for flaw in (flaw for flaw in FLAWS if flaw.input == name):
        rows = new_keys(sound.iloc[rng.choice(len(sound), flaw.rows, replace=False)], name, first)
        parts.append(rows.assign(**{flaw.column: np.resize(np.array(flaw.values, dtype=object), flaw.rows)}))
        first += flaw.rows
    return pd.concat(parts, ignore_index=True)


def orders_of_nobody(good: pd.DataFrame) -> pd.DataFrame:
    """Orders at the till of people who are nobody known: they count in the revenue of the shop alone."""
    at_the_till = good[
        good["channel"].eq("store") & good["status"].eq("completed") & good["returned_at"].eq("")
    ]
    rows = at_the_till.iloc[stream("guests").choice(len(at_the_till), ORDERS_OF_NOBODY, replace=False)]
    return new_keys(rows, "orders", 1001).assign(customer_id="")


def repeated_rows(repetition: Repetition, good: pd.DataFrame) -> pd.DataFrame:
    """Copies and older versions of good rows; the older ones were written an hour earlier."""
    rng = stream(f"repetitions {repetition.input}")
    copies = good.iloc[rng.choice(len(good), repetition.copies, replace=False)]
    if not repetition.older:
        return copies
    outdated = good[~good.index.isin(copies.index) & good[repetition.changed].ne(repetition.before)]
    if repetition.input == "orders":
        outdated = outdated[outdated["status"].eq("completed") & outdated["channel"].ne("store")]
    older = outdated.iloc[rng.choice(len(outdated), repetition.older, replace=False)]
    written: NDArray[np.datetime64] = older["updated_at"].to_numpy(dtype="datetime64[s]")
    hour_before = written - np.timedelta64(1, "h")
    older = older.assign(
        **{repetition.changed: repetition.before},
        updated_at=np.char.replace(np.datetime_as_string(hour_before), "T", " "),
    )
    return pd.concat([copies, older])


def respell(name: str, good: pd.DataFrame) -> pd.DataFrame:
    """Write some values in capitals or with spaces around them, which must not matter."""
    rng = stream(f"spellings {name}")
    good = good.copy()
    for _, column, spelling, rows in (spelling for spelling in SPELLINGS if spelling[0] == name):
        same = np.flatnonzero(good[column] == spelling.strip().lower())
        good.loc[rng.choice(same, rows, replace=False), column] = spelling
    return good


def mix(name: str, good: pd.DataFrame) -> pd.DataFrame:
    """The input as delivered: good rows in their order, bad rows somewhere among them."""
    repetition = next(repetition for repetition in REPETITIONS if repetition.input == name)
    nobodys = [orders_of_nobody(good)] if name == "orders" else []
    bad = pd.concat([bad_rows(name, good), repeated_rows(repetition, good), *nobodys])
    place = np.r_[np.arange(len(good)), stream(f"places {name}").integers(0, len(good), len(bad))]
    return pd.concat([respell(name, good), bad]).iloc[place.argsort(kind="stable")].reset_index(drop=True)


def expected_rejections() -> pd.DataFrame:
    """How many rows of each input must be rejected for which reason."""
    rows = [(flaw.input, flaw.reason, flaw.rows) for flaw in FLAWS]
    for each in REPETITIONS:
        rows.append((each.input, "copy:" + "+".join(each.key), each.copies))
        if each.older:
            rows.append((each.input, "duplicate:" + "+".join(each.key), each.older))
    return pd.DataFrame(rows, columns=["input", "reason", "rows"]).sort_values(
        ["input", "reason"], ignore_index=True
    )
