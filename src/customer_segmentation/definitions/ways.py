"""Ways into a segment: each is enough to be in it, and keeps out of the segments that come earlier.

docs/decisions/segment_definitions.md says what counts as a way up.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from customer_segmentation.definitions.conditions import (
    Alternative,
    Claim,
    Limit,
    Value,
    alternatives,
    columns_of,
    null_if_undefined,
)

MOST_WAYS = 60  # into a segment: each is enough, but a shorter one could be missed among very many


@dataclass(frozen=True)
class Movement:
    """How a feature moves.

    kind: sum (orders raise it, nothing lowers it), low or high (an order makes it as low or high as can be,
    and time alone takes it the other way), gap (only an order changes it), age (time raises it and nothing
    lowers it). after: what it is after one more order, as SQL.
    """

    kind: str
    after: str | None = None

    @property
    def only_rises(self) -> bool:
        """Whether what is too much stays too much, and what is too little may still come."""
        return self.kind in ("sum", "age")


# as far as it is known; whatever is not listed may move either way
MOVEMENTS = {
    "lifetime_orders": Movement("sum", "coalesce(lifetime_orders, 0) + 1"),
    "orders_12m": Movement("sum", "coalesce(orders_12m, 0) + 1"),
    "frequency_score": Movement("sum", "frequency_score_after_order"),
    "monetary_score": Movement("sum"),
    "monetary_12m_score": Movement("sum"),
    "lifetime_revenue": Movement("sum"),
    "revenue_12m": Movement("sum"),
    "interpurchase_count": Movement("sum"),
    "recency_score": Movement("high", "5"),
    "days_since_last_order": Movement("low", "0"),
    "overdue_ratio": Movement("low", "0"),
    "days_between_last_orders": Movement("gap", "days_since_last_order"),
    "gap_ratio": Movement("gap", "overdue_ratio"),
    "days_since_first_order": Movement("age", "coalesce(days_since_first_order, 0)"),
    "age_years": Movement("age"),
}


@dataclass(frozen=True)
class Segment:
    """A segment that a customer can be in; the one that takes all that is left has no condition."""

    name: str
    condition: str | None
    rank: int


@dataclass(frozen=True)
class Segmentation:
    """Segments of which the first that matches decides, and who is looked at."""

    name: str
    population: str | None
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Way:
    """What is enough to be in a segment.

    kept_out: what keeps a customer out of a better segment that comes earlier. It must be true already, since
    nobody is asked to keep out of a better one.
    """

    asks: Alternative
    kept_out: tuple[Alternative, ...] = ()

    def asks_more(self, other: "Way") -> bool:
        """Whether who goes this way goes the other one too."""
        return self.asks.is_within(other.asks) and all(option in self.kept_out for option in other.kept_out)


@dataclass(frozen=True)
class Term:
    """A part of a way.

    feature: None if it is no comparison of one. comparison, needed: of a number. is_met, takes_order and
    is_barred are SQL: whether it is met, whether meeting it takes an order, and whether nothing can meet it.
    """

    feature: str | None
    comparison: str | None
    needed: float | None
    text: str
    is_met: str
    takes_order: str = "false"
    is_barred: str = "false"

    def columns(self) -> list[str]:
        """Return the columns that it is about."""
        return [self.feature] if self.feature else columns_of(self.text)


def ways_into(segmentation: Segmentation, segment: Segment) -> list[Way]:
    """Return the ways into a segment."""
    ways = [Way(asks) for asks in alternatives(segment.condition, segmentation.population)]
    for other in segmentation.segments:
        if other == segment:
            break
        for alternative in alternatives(other.condition):
            ways = _around(ways, alternative, is_better=other.rank > segment.rank)
    return ways


def _around(ways: list[Way], alternative: Alternative, is_better: bool) -> list[Way]:
    """Return the ways on which an alternative of another segment doesn't hold."""
    around = []
    for way in ways:
        if (way.asks & alternative).is_impossible():
            around.append(way)
            continue
        for option in alternative.opposites():
            kept_out = (*way.kept_out, option) if is_better else way.kept_out
            around.append(Way(way.asks & option, kept_out))
    around = [way for way in around if not way.asks.is_impossible()]
    shortest: list[Way] = []
    for place, way in enumerate(around):
        if not any(way.asks_more(other) for other in shortest + around[place + 1 :]):
            shortest.append(way)
    return shortest[:MOST_WAYS]


def terms_of(asks: Alternative) -> list[Term]:
    """Return the terms of a way, or of a part of one."""
    compared = [
        _term(feature, *parts) for feature, limit in asks.limits.items() for parts in _comparisons(limit)
    ]
    return compared + [_claimed(claim) for claim in asks.claims]


def _comparisons(limit: Limit) -> Iterator[tuple[str, tuple[Value, ...], bool]]:
    """Yield (comparison, values, whether it counts as met where the feature is unknown).

    Of an unknown value the first comparison of a feature is the one that isn't met.
    """
    found: list[tuple[str, tuple[Value, ...]]] = []
    if limit.values is not None:
        is_number = len(limit.values) == 1 and isinstance(limit.values[0], float)
        found.append(("=" if is_number else "in", limit.values))
    if limit.least:
        found.append((">" if limit.least[1] else ">=", limit.least[:1]))
    if limit.most:
        found.append(("<=" if limit.most[1] else "<", limit.most[:1]))
    if limit.excluded:
        found.append(("not in", limit.excluded))
    if True in limit.null:
        found.append(("is null", ()))
    elif False in limit.null and not found:
        found.append(("is not null", ()))
    for place, (comparison, values) in enumerate(found):
        yield comparison, values, False not in limit.null or place > 0


def _claimed(claim: Claim) -> Term:
    claimed = null_if_undefined(claim.text)
    if claim.holds:
        return Term(None, None, None, claim.text, f"coalesce({claimed}, false)")
    return Term(None, None, None, f"not ({claim.text})", f"coalesce(not ({claimed}), true)")


def _term(feature: str, comparison: str, values: tuple[Value, ...], if_unknown: bool) -> Term:
    text, is_met = f"{feature} {_compared(comparison, values)}", _met(feature, comparison, values, if_unknown)
    movement = MOVEMENTS.get(feature)
    if comparison not in ("=", ">", ">=", "<", "<="):
        # nobody is asked to become unknown
        is_barred = "true" if movement and comparison == "is null" else "false"
        return Term(feature, None, None, text, is_met, is_barred=is_barred)
    (needed,) = values
    assert isinstance(needed, float)  # as of every comparison with one number
    if not movement:
        return Term(feature, comparison, needed, text, is_met)
    return Term(
        feature,
        comparison,
        needed,
        text,
        is_met,
        _takes_order(movement.kind, feature, comparison, needed),
        _is_barred(movement, feature, comparison, needed),
    )


def _takes_order(kind: str, feature: str, comparison: str, needed: float) -> str:
    rises = kind in ("sum", "high")
    if (
        kind == "gap"
        or (rises and comparison in (">", ">="))
        or (kind == "low" and comparison in ("<", "<="))
    ):
        return "true"
    if comparison == "=" and (rises or kind == "low"):
        return f"coalesce({feature} {'<' if rises else '>'} {as_sql(needed)}, true)"
    return f"{feature} is null"


def _is_barred(movement: Movement, feature: str, comparison: str, needed: float) -> str:
    """What only rises can't come down."""
    if not movement.only_rises or comparison in (">", ">="):
        return "false"
    return f"coalesce({feature} {'>=' if comparison == '<' else '>'} {as_sql(needed)}, false)"


def after_order(asks: Alternative) -> list[str]:
    """Return SQL that must hold for a way to be open after one more order.

    More orders may follow, and time: what only rises may lack some.
    """
    checks = []
    for feature, limit in asks.limits.items():
        movement = MOVEMENTS.get(feature)
        if not movement or not movement.after:
            continue
        for comparison, values, if_unknown in _comparisons(limit):
            if movement.only_rises and comparison in (">", ">="):
                continue
            at_most = "<=" if movement.only_rises and comparison == "=" else comparison
            checks.append(_met(movement.after, at_most, values, if_unknown))
    return checks


def _met(subject: str, comparison: str, values: tuple[Value, ...], if_unknown: bool) -> str:
    compared = f"{subject} {_compared(comparison, values)}"
    return f"coalesce({compared}, {str(if_unknown).lower()})" if values else f"({compared})"


def _compared(comparison: str, values: tuple[Value, ...]) -> str:
    if comparison in ("in", "not in"):
        if len(values) != 1:
            return f"{comparison} ({', '.join(map(as_sql, values))})"
        comparison = "=" if comparison == "in" else "<>"
    return " ".join([comparison, *map(as_sql, values)])


def as_sql(value: Value) -> str:
    """Write a number or a text as SQL."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(int(value) if value.is_integer() else value)
