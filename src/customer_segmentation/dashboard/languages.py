"""Numbers, dates and names as each language writes them, for pages, for SQL of boards and for tooltips."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import isfinite

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UNITS = {
    "en": ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")),
    "ko": ((1e12, "조"), (1e8, "억"), (1e4, "만")),
}
FORMS = ("month", "money", "decimal", "share", "share_N")  # N is how many decimals
NOTHING = "–"  # noqa: RUF001 - what is not known


@dataclass(frozen=True)
class Language:
    """A language: how it writes numbers and dates, and what it calls what has a key."""

    code: str
    names: Mapping[str, Mapping[str, str]]

    def named(self, kind: str, key: str) -> str:
        """Return the name of a key of a kind, such as a segmentation: without one a tidied key.

        A question is a text and no key: it stays as it was written.
        """
        tidy = key if kind == "question" else key.replace("_", " ")
        return self.names.get(kind, {}).get(key) or tidy[:1].upper() + tidy[1:]

    def day(self, on: date) -> str:
        """Return a date: 17 Jun 2026."""
        if self.code == "ko":
            return f"{on.year}년 {on.month}월 {on.day}일"
        return f"{on.day} {MONTHS[on.month - 1]} {on.year}"

    def month(self, on: date) -> str:
        """Return the month of a date: Jun 2026."""
        return f"{on.year}년 {on.month}월" if self.code == "ko" else f"{MONTHS[on.month - 1]} {on.year}"

    def money(self, amount: float) -> str:
        """Return an amount in three digits and a unit: 503M."""
        for size, unit in UNITS[self.code]:
            if abs(amount) >= size * 0.9995:
                return _three_digits(amount / size) + unit
        return _three_digits(amount)

    def shown(self, value: object, form: str = "") -> str:
        """Return a value as it is shown, in a form: month, money, decimal, share, share_1 (3.4 %) ..."""
        if isinstance(value, date):
            return self.month(value) if form == "month" else self.day(value)
        if value is None or (isinstance(value, float) and not isfinite(value)):
            return NOTHING
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            return unbroken(str(value))
        if isinstance(value, int) and form != "money":
            return f"{value:,}"
        number = float(value)
        if form == "money":
            return self.money(number)
        if form.startswith("share"):
            return unbroken(f"{100 * number:z.{form[6:] or 0}f} %")
        return f"{number:z,.2f}" if form == "decimal" else f"{number:z,.0f}"


def is_form(form: str) -> bool:
    """Return whether values can be shown in a form; without one they are shown as they are."""
    return form in ("", "month") or is_numeric(form)


def is_numeric(form: str) -> bool:
    """Return whether a form is one of numbers."""
    return form in ("money", "decimal") or re.fullmatch(r"share(_\d)?", form) is not None


def unbroken(text: str) -> str:
    """Return a text in which no line begins with %."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def _three_digits(number: float) -> str:
    digits = max(0, 2 - len(str(int(abs(number)))) + 1) if abs(number) >= 1 else 2
    text = f"{number:z,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
