"""Conditions, read by sqlglot: which rows meet one, whether any can, and whether they all meet another one.

A condition becomes alternatives, of which one must hold. An alternative is a limit for each column that is
compared with numbers or texts, and claims: whatever else must hold, as text. What is said here is right for
every row; of what can't be shown nothing is said.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, reduce
from math import inf, prod

import sqlglot
from sqlglot import Token, exp
from sqlglot.errors import ParseError, SqlglotError

from customer_segmentation.definitions.language import read_mistakes
from customer_segmentation.errors import ReadableError

DIALECT = "duckdb"
MOST = 500  # alternatives of a condition: one that has more stays text
Value = float | str  # that a column is compared with

# the project's own features that are whole numbers: above 3 is from 4 on; scores are 1 to 5
SCORES = {
    "recency_score",
    "frequency_score",
    "monetary_score",
    "monetary_12m_score",
    "expected_revenue_score",
}
WHOLE = SCORES | {
    "days_since_first_order",
    "days_since_last_order",
    "days_since_first_purchase",
    "days_from_first_to_last_purchase",
    "days_between_last_orders",
    "days_since_last_visit",
    "days_since_cart_left",
    "lifetime_orders",
    "lifetime_visits",
    "orders_12m",
    "interpurchase_count",
    "category_breadth",
    "visits_90d",
    "views_90d",
    "searches_90d",
    "carts_90d",
    "age_years",
    "household_size",
    "children",
    "employees",
}
# texts that may stand for a number, a date or a truth: two that differ may be the same value
STANDS_FOR_ANOTHER = re.compile(
    r"\s*([-+]?[\d._]+(e[-+]?\d+)?|0[xb][\da-f]+|[-+]?\d+[-/\\ ]\d+[-/\\ ]\d.*|epoch|[-+]?inf(inity)?|nan"
    r"|t|f|y|n|true|false|yes|no)\s*",
    re.IGNORECASE | re.DOTALL,
)
OPPOSITE: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.GT: exp.LTE,
    exp.LTE: exp.GT,
    exp.LT: exp.GTE,
    exp.GTE: exp.LT,
}
MIRRORED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.LT,
    exp.LT: exp.GT,
    exp.GTE: exp.LTE,
    exp.LTE: exp.GTE,
}

DIVISIONS = (exp.Div, exp.IntDiv, exp.Mod)
# functions that have no finite value for some numbers, as sqlglot calls them
PARTIAL_FUNCTIONS = {
    "acos",
    "acosh",
    "asin",
    "atanh",
    "cot",
    "exp",
    "gamma",
    "lgamma",
    "ln",
    "log",
    "pow",
    "sqrt",
}
INFINITY = exp.cast(exp.Literal.string("infinity"), exp.DataType.Type.DOUBLE)


class ConditionError(ReadableError):
    """A text is no condition; the message says why."""


@dataclass(frozen=True)
class Limit:
    """What is asked of a column's value.

    least: (number, whether that itself is out), most: (number, whether that itself is in), so that of two the
    larger least and the smaller most ask for more. values: those that are let in, if they are listed;
    excluded: those that are not. null: it must be unknown (True) or known (False); no value is both.
    """

    least: tuple[float, bool] | None = None
    most: tuple[float, bool] | None = None
    values: tuple[Value, ...] | None = None
    excluded: tuple[Value, ...] = ()
    null: frozenset[bool] = frozenset()

    def __and__(self, other: "Limit") -> "Limit":
        """What both ask for."""
        values = self.values if other.values is None else other.values
        if self.values is not None and other.values is not None:
            values = tuple(value for value in self.values if value in other.values)
        return Limit(
            least=max(filter(None, (self.least, other.least)), default=None),
            most=min(filter(None, (self.most, other.most)), default=None),
            values=values,
            excluded=tuple(dict.fromkeys(self.excluded + other.excluded)),
            null=self.null | other.null,
        )

    def allows(self, value: Value) -> bool:
        """Whether a value is let in."""
        if value in self.excluded or (self.values is not None and value not in self.values):
            return False
        if isinstance(value, str):
            return True
        return (self.least is None or (value, False) >= self.least) and (
            self.most is None or (value, True) <= self.most
        )

    def allowed(self) -> tuple[Value, ...] | None:
        """Return all values that are let in; None if they can't be listed."""
        listed = self.values
        if listed is None and self.least and self.most and self.least[0] >= self.most[0]:
            listed = (self.least[0],)
        return None if listed is None else tuple(value for value in listed if self.allows(value))

    def is_impossible(self) -> bool:
        """Whether nothing meets it, a value or an unknown one."""
        return self.allowed() == () or len(self.null) == 2

    def is_within(self, outer: "Limit") -> bool:
        """Whether all that meets it meets another one too: where it can be shown."""
        if not outer.null <= self.null:
            return False
        allowed = self.allowed()
        if allowed is not None:
            return all(outer.allows(value) for value in allowed)
        return (
            outer.values is None
            and not any(self.allows(value) for value in outer.excluded)
            and (outer.least is None or (self.least is not None and self.least >= outer.least))
            and (outer.most is None or (self.most is not None and self.most <= outer.most))
        )

    def tidied(self, column: str) -> "Limit":
        """Write it in one way of many.

        Whole numbers above 3, or from 3 on without 3, are those from 4 on; none is below 0, and scores are 1
        to 5. What no value can be may still be unknown, if that is allowed.
        """
        least, most = self.least, self.most
        if least and least[0] in self.excluded:
            least = least[0], True
        if most and most[0] in self.excluded:
            most = most[0], False
        limit = replace(self, least=least, most=most)
        if column in WHOLE:
            lowest, highest = (1.0, 5.0) if column in SCORES else (0.0, inf)
            low = max(lowest, -(-least[0] // 1) + (least[1] and least[0] % 1 == 0)) if least else lowest
            high = min(highest, most[0] // 1 - (not most[1] and most[0] % 1 == 0)) if most else highest
            excluded = sorted(value for value in self.excluded if isinstance(value, float))
            for value in excluded:
                low += value == low
            for value in reversed(excluded):
                high -= value == high
            limit = replace(
                limit,
                least=(low, False) if least or low > lowest else None,
                most=(high, True) if most or high < highest else None,
                values=() if low > high else self.values,
            )
        within = Limit(limit.least, limit.most)
        limit = replace(limit, excluded=tuple(value for value in self.excluded if within.allows(value)))
        allowed = limit.allowed()
        if limit.values is not None and allowed:
            limit = Limit(values=allowed, null=limit.null)
        if allowed == () and False not in limit.null:
            limit = Limit(null=frozenset({True}))
        return limit


@dataclass(frozen=True)
class Claim:
    """A condition as text that must be true or, where it doesn't hold, false or unknown."""

    text: str
    holds: bool = True


@dataclass(frozen=True)
class Alternative:
    """What must hold together: a limit by column, and claims."""

    limits: Mapping[str, Limit] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()

    def __and__(self, other: "Alternative") -> "Alternative":
        """What both ask for."""
        limits = dict(self.limits)
        for column, limit in other.limits.items():
            limits[column] = (limits[column] & limit if column in limits else limit).tidied(column)
        return Alternative(limits, tuple(dict.fromkeys(self.claims + other.claims)))

    def is_impossible(self) -> bool:
        """Whether no row can meet it."""
        return any(limit.is_impossible() for limit in self.limits.values()) or any(
            Claim(claim.text, not claim.holds) in self.claims for claim in self.claims
        )

    def is_within(self, outer: "Alternative") -> bool:
        """Whether every row that meets it meets another one too: where it can be shown."""
        return set(outer.claims) <= set(self.claims) and all(
            column in self.limits and self.limits[column].is_within(limit)
            for column, limit in outer.limits.items()
        )

    def opposites(self) -> Iterator["Alternative"]:
        """Yield the ways in which it can fail: one for each comparison and claim."""
        for column, limit in self.limits.items():
            values = limit.values
            single = values[0] if values is not None and len(values) == 1 else None
            changes = []
            if limit.least:
                changes.append(Limit(most=limit.least))
            if limit.most:
                changes.append(Limit(least=limit.most))
            if isinstance(single, float):
                changes += [Limit(most=(single, False)), Limit(least=(single, True))]
            elif values is not None:
                changes.append(Limit(excluded=values))
            changes += [Limit(values=(value,)) for value in limit.excluded]
            if True in limit.null:
                changes.append(Limit(null=frozenset({False})))
            elif not changes:
                changes.append(Limit(null=frozenset({True})))
            yield from (Alternative({column: change}) for change in changes)
        yield from (Alternative(claims=(Claim(claim.text, not claim.holds),)) for claim in self.claims)


ANY = Alternative()


@cache
def parse(condition: str) -> exp.Expr:
    """Read a condition; what is none raises a ConditionError."""
    try:
        tree = sqlglot.parse_one(condition, dialect=DIALECT)
    except ParseError as error:
        near = f"look near '{error.errors[0]['highlight']}'" if error.errors else "it is empty"
        raise ConditionError(near) from error
    except SqlglotError as error:  # a text or a comment that doesn't end
        raise ConditionError("something in it doesn't end") from error
    if not isinstance(tree, exp.Condition):
        raise ConditionError("it is more, or less, than one condition")
    return tree


def mistakes(condition: str) -> list[str]:
    """Return what to do about a condition that says something else than was meant, or nothing."""
    unquoted = re.sub(r'"(?:[^"]|"")*"', "x", re.sub(r"'(?:[^']|'')*'", "@", condition))
    return [mend for mend, pattern in read_mistakes().items() if re.search(pattern, unquoted.lower().strip())]


def as_filter(condition: str) -> str:
    """Return a condition on the rows of a table as SQL to put after `where`.

    Raises ConditionError if it is not one condition on a row of that table alone, or can't be meant.
    """
    for mend in mistakes(condition):
        raise ConditionError(mend)
    if parse(condition).find(exp.Query, exp.Window, exp.AggFunc):
        raise ConditionError("it looks at other rows: compare the columns of one")
    return null_if_undefined(condition)


def tokens_of(condition: str) -> list[Token]:
    """Return the words, texts and signs of a condition, or of a part of one."""
    return sqlglot.tokenize(condition, read=DIALECT)


def columns_of(condition: str) -> list[str]:
    """Return the columns that a condition uses, in the order in which it does."""
    return list(
        dict.fromkeys(column.name.lower() for column in parse(condition).find_all(exp.Column, bfs=False))
    )


def as_text(tree: exp.Expr) -> str:
    """Write a condition in lower case but for its texts."""
    written = tree.sql(DIALECT, normalize_functions="lower")
    return re.sub(
        r"'(?:[^']|'')*'|[^']+", lambda part: part[0] if part[0][0] == "'" else part[0].lower(), written
    )


def null_if_undefined(condition: str) -> str:
    """Return the SQL of a condition in which what has no finite value is null, such as 0 / 0 or ln(0).

    Engines make NaN or infinity of it, which are above every threshold, or break off. What can't be read
    stays as it is. For dbt, the macro of this name does it word by word.
    """
    try:
        tree = exp.Paren(this=parse(condition).copy())
    except ConditionError:
        return condition
    undefined = [node for node in tree.find_all(*DIVISIONS, exp.Func) if _may_be_undefined(node)]
    for node in reversed(undefined):  # from the inside out
        if isinstance(node, DIVISIONS):
            node.set("expression", exp.Nullif(this=node.expression, expression=exp.Literal.number(0)))
        else:
            is_finite = exp.LT(this=exp.Abs(this=node.copy()), expression=INFINITY.copy())
            node.replace(exp.case().when(is_finite, node.copy()))
    return str(tree.this.sql(DIALECT)) if undefined else condition


def _may_be_undefined(node: exp.Expr) -> bool:
    name = node.name if isinstance(node, exp.Anonymous) else type(node).__name__
    return isinstance(node, DIVISIONS) or name.lower() in PARTIAL_FUNCTIONS


def alternatives(*conditions: str | None) -> list[Alternative]:
    """Return the alternatives that meet some conditions together, but for those that no row can meet."""
    found = [ANY]
    for condition in filter(None, conditions):
        found = _both(found, _alternatives(parse(condition)))
    return found


def _both(some: Iterable[Alternative], others: list[Alternative]) -> list[Alternative]:
    together = (one & other for one in some for other in others)
    return [alternative for alternative in together if not alternative.is_impossible()]


def _alternatives(tree: exp.Expr, holds: bool = True) -> list[Alternative]:
    """Return what must hold for a condition to be true or, unless it holds, for it to be false."""
    match tree:
        case exp.Paren():
            return _alternatives(tree.this, holds)
        case exp.Not():
            return _alternatives(tree.this, not holds)
        case exp.And() | exp.Or() if isinstance(tree, exp.And) == holds:
            parts = [_alternatives(part, holds) for part in tree.flatten()]
            if prod(map(len, parts)) <= MOST:
                return reduce(_both, parts, [ANY])
        case exp.And() | exp.Or():
            return [found for part in tree.flatten() for found in _alternatives(part, holds)]
        case exp.Between():
            low = exp.GTE(this=tree.this.copy(), expression=tree.args["low"].copy())
            high = exp.LTE(this=tree.this.copy(), expression=tree.args["high"].copy())
            return _alternatives(exp.And(this=low, expression=high), holds)
        case exp.Boolean():
            return [ANY] if tree.this == holds else []
    found = _limited(tree, holds)
    if found:
        column, limit = found
        return _both([Alternative({column: limit.tidied(column)})], [ANY])
    return [Alternative(claims=(Claim(as_text(tree if holds else exp.not_(tree))),))]


def _limited(tree: exp.Expr, holds: bool) -> tuple[str, Limit] | None:
    """Return the column that is compared with numbers or texts, and what is asked of it, if so it is."""
    kind = type(tree)
    if isinstance(tree, exp.Is) and isinstance(tree.expression, exp.Null) and _is_column(tree.this):
        return tree.this.name.lower(), Limit(null=frozenset({holds}))
    if isinstance(tree, exp.In) and _is_column(tree.this) and tree.expressions:
        values = tuple(value for item in tree.expressions if (value := _value(item)) is not None)
        if len(values) < len(tree.expressions):
            return None
        known = Limit(values=values) if holds else Limit(excluded=values)
        return tree.this.name.lower(), replace(known, null=frozenset({False}))
    if kind not in OPPOSITE:
        return None
    column, other = tree.this, tree.expression
    if _is_column(other):
        column, other, kind = other, column, MIRRORED.get(kind, kind)
    value = _value(other)
    if value is None or not _is_column(column):
        return None
    limit = _asked(kind if holds else OPPOSITE[kind], value)
    return (column.name.lower(), replace(limit, null=frozenset({False}))) if limit else None


def _asked(kind: type[exp.Expr], value: Value) -> Limit | None:
    if kind is exp.EQ:
        return Limit(values=(value,))
    if kind is exp.NEQ:
        return Limit(excluded=(value,))
    if isinstance(value, str):
        return None
    if kind in (exp.GT, exp.GTE):
        return Limit(least=(value, kind is exp.GT))
    return Limit(most=(value, kind is exp.LTE))


def _is_column(tree: exp.Expr) -> bool:
    return isinstance(tree, exp.Column) and not tree.table


def _value(tree: exp.Expr) -> Value | None:
    """Return a number, or a text that stands for itself; None if it is anything else."""
    if isinstance(tree, exp.Neg):
        number = _value(tree.this)
        return -number if isinstance(number, float) else None
    if isinstance(tree, exp.Literal):
        if not tree.is_string:
            return float(tree.this)
        return None if STANDS_FOR_ANOTHER.fullmatch(tree.this) else str(tree.this)
    return None
