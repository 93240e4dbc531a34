"""What customers lack on the way to the next better segment, as one query over their features."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import duckdb

from customer_segmentation.definitions.conditions import null_if_undefined
from customer_segmentation.definitions.ways import (
    MOVEMENTS,
    Segment,
    Segmentation,
    Term,
    Way,
    after_order,
    as_sql,
    terms_of,
    ways_into,
)

Relation = duckdb.DuckDBPyRelation

# {score: what it scores} of scores that count published cut-offs
SCORED = {
    "recency_score": "days_since_last_order",
    "frequency_score": "lifetime_orders",
    "monetary_score": "lifetime_revenue",
    "monetary_12m_score": "revenue_12m",
    "expected_revenue_score": "expected_revenue_365d",
}
# a way as one number: its level, how many terms are unmet, and its place among all
LEVEL, UNMET = 1_000_000, 10_000

# segments that have a rank and are told from the inputs that are there, where the first match decides
RANKED = "assignment = 'first_match' and segment_rank is not null and left_out_because is null"
RANKS = "segmentation, population, segment, nullif(condition, 'otherwise'), position, segment_rank"

# who lacks nothing: where no segmentation has an order, the table still has its columns
NOBODY = """
select
    null::varchar as customer_id, null::date as as_of_date, null::varchar as segmentation,
    null::varchar as segment, null::varchar as next_segment, null::varchar as feature,
    null::varchar as comparison, null::varchar as term, null::double as value, null::double as needed,
    null::varchar as metric, null::double as metric_value, null::integer as terms_unmet,
    null::integer as orders_needed, null::integer as orders_to_next, null::boolean as is_complete
where false
"""

# of a segmentation: which terms customers meet and where they are, how high that is and after how many orders
# they would meet each term, the way to the lowest level above and then with the fewest unmet terms, and the
# terms of that way
QUERY = """
(
    with

    placed as (select *, {terms}, {segment} as segment from customers),

    levelled as (select *, {level} as level, {orders} from placed),

    gone as (select *, least({numbers}, null::integer) as way from levelled),

    terms as (
        from (values {listed})
        as listed (number, position, next_segment, feature, comparison, term, needed, metric)
    )

    select
        customer_id, as_of_date, {name} as segmentation, segment, next_segment, feature, comparison, term,
        {value} as value, needed::double as needed, metric, {metric_value} as metric_value,
        (way % {LEVEL} // {UNMET})::integer as terms_unmet,
        {orders_needed} as orders_needed, {orders_to_next} as orders_to_next, {is_complete} as is_complete
    from gone
    inner join terms on gone.way % {UNMET} = terms.number
    where {is_unmet}
)
"""


def lacking(
    *, segments: Relation, features: Relation, dates: Relation, fits: Relation, cutoffs: Relation
) -> Relation:
    """Return what customers lack at the latest date; the tables are the models of these names."""
    steps = ", ".join(f"cutoff_{number}" for number in range(1, 5))
    # where all are the same nobody is scored, and no order changes that
    scored = "metric = 'frequency' and cutoff_1 < cutoff_4"
    latest = (
        dates.filter("is_latest")
        .project("as_of_date")
        .join(fits.filter("as_of_date = fitted_on").project("as_of_date, cutoffs_on"), "as_of_date", "left")
        .join(
            cutoffs.filter(scored).project(f"fitted_on as cutoffs_on, {steps}"),
            "cutoffs_on",
            "left",
        )
        .project(f"as_of_date, {steps}")
    )
    day, *passed = next(iter(latest.fetchall()), (None,))
    ranked = segments.filter(RANKED).order("segmentation, position").project(RANKS).fetchall()
    query = unmet_terms(read_segmentations(ranked), [cutoff for cutoff in passed if cutoff is not None])
    everybody = features.filter(f"as_of_date = date '{day}'" if day else "false")
    lacked = everybody.query("everybody", query)
    assert lacked is not None  # as of every select
    return lacked


def read_segmentations(
    rows: Iterable[tuple[str, str | None, str, str | None, int, int]],
) -> list[Segmentation]:
    """Return the segmentations whose segments have an order, from rows of RANKS."""
    found = []
    for (name, population), listed in groupby(rows, key=lambda row: row[:2]):
        segments = [Segment(name, condition, rank) for *_, name, condition, _, rank in listed]
        if len({segment.rank for segment in segments}) > 1:
            # what takes all that is left comes last, wherever it is written
            last = sorted(segments, key=lambda segment: segment.condition is None)
            found.append(Segmentation(name, population, tuple(last)))
    return found


def unmet_terms(segmentations: Iterable[Segmentation], frequency_cutoffs: Iterable[float] = ()) -> str:
    """Return a query over a relation `everybody`: a row per customer, segmentation and term that is lacking.

    orders_needed: orders that meet the term; orders_to_next: those that meet all terms of the way; null where
    orders alone don't. frequency_cutoffs: orders above which the frequency score rises, to 2 and so on.
    """
    cutoffs = list(frequency_cutoffs)
    passed = (f" + (coalesce(lifetime_orders, 0) + 1 > {cutoff})::integer" for cutoff in cutoffs)
    customer = f"select *, 1{''.join(passed)} as frequency_score_after_order from everybody"
    plans = [plan for plan in (_Plan(one, cutoffs) for one in segmentations) if plan.ways]
    parts = "union all".join([NOBODY, *(plan.query() for plan in plans)])
    return f"with customers as ({customer})\n{parts}"


class _Plan:
    """All ways up in a segmentation, the lowest first and otherwise in the order of the definition."""

    def __init__(self, segmentation: Segmentation, frequency_cutoffs: Sequence[float]):
        self.segmentation = segmentation
        self.frequency_cutoffs = frequency_cutoffs
        ranks = sorted({segment.rank for segment in segmentation.segments})
        self.levels = {segment.name: ranks.index(segment.rank) + 1 for segment in segmentation.segments}
        self.ways = [
            (segment.name, way)
            for segment in sorted(segmentation.segments, key=lambda segment: segment.rank)
            if segment.rank > ranks[0]
            for way in ways_into(segmentation, segment)
            if terms_of(way.asks)  # a way that asks for nothing has brought everybody there already
        ]
        self.terms = list(dict.fromkeys(term for _, way in self.ways for term in terms_of(way.asks)))

    def query(self) -> str:
        """Return the query over the customers."""
        ways = list(enumerate(self.ways, start=1))
        compared = {term.feature for term in self.terms if term.feature and term.comparison}
        scored = {term.feature for term in self.terms if term.feature in SCORED}
        complete = {number: self._is_complete(way) for number, (_, way) in ways}
        return QUERY.format(
            LEVEL=LEVEL,
            UNMET=UNMET,
            name=as_sql(self.segmentation.name),
            terms=", ".join(f"{term.is_met} as {self._met(term)}" for term in self.terms),
            segment=placement(self.segmentation),
            level=_case("segment", {as_sql(name): level for name, level in self.levels.items()}),
            numbers=", ".join(self._number(number, name, way) for number, (name, way) in ways),
            listed=", ".join(self._listed(number, name, way) for number, (name, way) in ways),
            value=_case("feature", {as_sql(name): f"{name}::double" for name in sorted(compared)}),
            metric_value=_case(
                "metric", {as_sql(SCORED[name]): f"{SCORED[name]}::double" for name in sorted(scored)}
            ),
            orders=", ".join(f"{self._orders_to_meet(term)} as {self._orders(term)}" for term in self.terms),
            orders_needed=_case(
                "position", {place: self._orders(term) for place, term in enumerate(self.terms)}
            ),
            orders_to_next=_case("number", {number: self._orders_on(way) for number, (_, way) in ways}),
            is_complete=_case("number", complete, "true"),
            is_unmet=_case(
                "position", {place: f"not {self._met(term)}" for place, term in enumerate(self.terms)}
            ),
        )

    def _met(self, term: Term) -> str:
        return f"term_{self.terms.index(term)}"

    def _orders(self, term: Term) -> str:
        return f"orders_{self.terms.index(term)}"

    def _orders_to_meet(self, term: Term) -> str:
        """Write SQL for the orders that meet a term: 0 where it is met, null where orders alone don't."""
        more = "null"
        if term.feature in ("lifetime_orders", "orders_12m") and term.needed is not None:
            more = f"case when {term.needed} > {term.feature} then {term.needed} - {term.feature} end"
        elif term.feature == "frequency_score" and term.comparison in ("=", ">="):
            # the score of 2 begins with one order more than the first cut-off
            passed = self.frequency_cutoffs[: int(term.needed or 0) - 1]
            if len(passed) == int(term.needed or 0) - 1 > 0:
                rises = f"coalesce(frequency_score < {term.needed}, true)"
                more = f"case when {rises} then {int(passed[-1]) + 1} - lifetime_orders end"
        elif term.feature in MOVEMENTS and MOVEMENTS[term.feature].kind != "sum":
            more = f"case when {term.takes_order} then 1 end"
        return f"(case when {self._met(term)} then 0 else {more} end)::integer"

    def _orders_on(self, way: Way) -> str:
        """Write SQL for the orders after which all terms of a way are met: as many as the last one takes."""
        orders = [self._orders(term) for term in terms_of(way.asks)]
        return f"case when {' + '.join(orders)} is not null then greatest({', '.join(orders)}) end"

    def _number(self, number: int, segment: str, way: Way) -> str:
        """Write SQL for a way that is open to a customer, as one number."""
        terms, level = terms_of(way.asks), self.levels[segment]
        conditions = [f"level < {level}"]
        conditions += [
            f"({self._met(term)} or not {term.is_barred})" for term in terms if term.is_barred != "false"
        ]
        orders = [
            f"(not {self._met(term)} and {term.takes_order})" for term in terms if term.takes_order != "false"
        ]
        after = after_order(way.asks)
        if orders and after:
            conditions.append(f"(not ({' or '.join(orders)}) or ({' and '.join(after)}))")
        conditions += [term.is_met for option in way.kept_out for term in terms_of(option)]
        unmet = "".join(f" + case when {self._met(term)} then 0 else {UNMET} end" for term in terms)
        is_open = " and ".join(dict.fromkeys(conditions))
        return f"case when {is_open} then {level * LEVEL + number}{unmet} end"

    def _listed(self, number: int, segment: str, way: Way) -> str:
        """Write the terms of a way as rows of SQL."""
        rows = []
        for term in terms_of(way.asks):
            texts = (
                segment,
                term.feature,
                term.comparison,
                term.text,
                term.needed,
                SCORED.get(term.feature or ""),
            )
            told = ", ".join("null" if text is None else as_sql(text) for text in texts)
            rows.append(f"({number}, {self.terms.index(term)}, {told})")
        return ", ".join(rows)

    def _is_complete(self, way: Way) -> str:
        """Write SQL for whether meeting the terms is sure to lead there, though nobody can set a claim."""
        claimed = [term for term in terms_of(way.asks) if not term.feature]
        if any(column in way.asks.limits for term in claimed for column in term.columns()):
            return "false"
        return " and ".join(map(self._met, claimed)) or "true"


def _case(of: str, values: Mapping[Any, object], otherwise: str = "null") -> str:
    cases = " ".join(f"when {value} then {then}" for value, then in values.items())
    return f"case {of} {cases} else {otherwise} end" if cases else otherwise


def placement(segmentation: Segmentation) -> str:
    """Write SQL for the segment that a customer is in."""
    population = segmentation.population and null_if_undefined(segmentation.population)
    cases = [f"when coalesce(not ({population}), true) then null"] if population else []
    cases += [
        f"when {null_if_undefined(one.condition)} then {as_sql(one.name)}"
        for one in segmentation.segments
        if one.condition
    ]
    rest = [f"else {as_sql(one.name)}" for one in segmentation.segments if not one.condition]
    return f"case {' '.join(cases + rest)} end"
