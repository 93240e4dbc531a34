"""Conditions as sqlglot reads them: what is said of them holds for every row, asked of the database."""

import itertools
import random
import re

import duckdb
import kept
import pytest

from customer_segmentation.definitions.conditions import (
    ConditionError,
    Limit,
    alternatives,
    as_text,
    columns_of,
    null_if_undefined,
    parse,
)
from customer_segmentation.definitions.ways import Way, terms_of

EVERYONE = """
create table everyone as
select * from (values (null), (0), (0.5), (1), (1.5), (2), (2.5), (3), (4)) as x (x)
cross join (values (null), (0), (1), (2), (3), (4)) as y (y)
cross join (values (null), ('a'), ('b'), ('c')) as z (z)
cross join (values (null), (true), (false)) as w (is_w)
"""


# each true of nobody in UNDEFINED: what is compared has no value there
WITHOUT_VALUE = [
    "revenue / orders > 1000000",
    "revenue / orders <= 1000000 or orders / orders = 1",
    "not revenue / (orders * 2) < 1",
    "revenue / -(orders) > 0 or orders / cast(orders as double) > 0",
    "1 / orders > 0 and 1 / coalesce(orders, 0) > 0",
    "greatest(revenue / case when orders > 0 then 1 else 0 end, 1 / orders) > 5",
    "5 % orders = 0 or mod(5, orders) = 0 or mod(greatest(5, 2), orders + 0) >= 0",
    "sqrt(debt) > 0 or not sqrt(debt / 2) < 0",
    "LN (orders) < 0 or ln(debt) > 0 or ln(abs(debt) / orders) > 0",
    "power(debt, 0.5) > 0 or power(orders, -1) > 0",
    "exp(large) > 5",
    "sqrt(ln(orders)) > 0 or sqrt(1 / orders) > 0",
    "case when revenue / orders > 5 then true end",
    "'a/b' = name and revenue / orders > 5",
]
UNDEFINED = "(values (0.0, 0, -4.0, 1000, 'a/b')) as customer (revenue, orders, debt, large, name)"
# of a row in which all of it has a value the same is said as without
WITH_VALUE = "(values (8.5, 2, 4.0, 3, 'a/b')) as customer (revenue, orders, debt, large, name)"


@pytest.mark.parametrize("condition", WITHOUT_VALUE)
def test_what_has_no_value_keeps_a_customer_out_and_breaks_nothing_off(condition: str):
    written = null_if_undefined(condition)
    assert duckdb.sql(f"select * from {UNDEFINED} where {written}").fetchall() == []
    ((same,),) = duckdb.sql(
        f"select ({written}) is not distinct from ({condition}) from {WITH_VALUE}"
    ).fetchall()
    assert same


def test_a_condition_that_always_has_a_value_stays_as_it_is_written():
    for condition in ("Orders > 3  and name = 'a/b'", "orders >"):
        assert null_if_undefined(condition) == condition


def test_the_way_up_looks_past_what_has_no_value():
    (claimed,) = terms_of(alternatives("revenue / orders > 5")[0])
    assert claimed.text == "revenue / orders > 5"
    assert duckdb.sql(f"select {claimed.is_met} from {UNDEFINED}").fetchall() == [(False,)]


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(EVERYONE)
    return connection


def rows(connection: duckdb.DuckDBPyConnection, condition: str) -> set[tuple]:
    return set(connection.execute(f"select * from everyone where {condition}").fetchall())


def drawn_condition(chance: random.Random, depth: int = 2) -> str:
    """Draw a condition over the columns x, y, z and is_w."""

    def number() -> str:
        return str(chance.choice([0, 1, 2, 3]))

    def comparison() -> str:
        column, sign = chance.choice("xy"), chance.choice(["=", "<>", "<", "<=", ">", ">="])
        return chance.choice(
            [
                f"{column} {sign} {number()}",
                f"{number()} {sign} {column}",
                f"{column} {chance.choice(['', 'not '])}between {number()} and {number()}",
                f"{column} {chance.choice(['', 'not '])}in ({number()}, {number()})",
                f"z {chance.choice(['=', '<>'])} '{chance.choice('ab')}'",
                "z in ('a', 'b')",
                f"{chance.choice('xz')} is {chance.choice(['', 'not '])}null",
                chance.choice(["is_w", "x > y", "coalesce(z = 'a', true)", "z like 'a%'", "true", "false"]),
            ]
        )

    if not depth or chance.random() < 0.3:
        drawn = comparison()
    else:
        parts = [drawn_condition(chance, depth - 1) for _ in range(chance.choice([2, 2, 3]))]
        drawn = f"({chance.choice([' and ', ' and ', ' or ']).join(parts)})"
    return f"not {drawn}" if chance.random() < 0.2 else drawn


DRAWN = [drawn_condition(random.Random(number)) for number in range(kept.examples(150, 1500))]


@pytest.mark.drawn
def test_the_alternatives_of_a_condition_are_met_by_the_same_rows(connection):
    for condition in DRAWN:
        met = [terms_of(alternative) for alternative in alternatives(condition)]
        either = " or ".join(f"({' and '.join(term.is_met for term in terms) or 'true'})" for terms in met)
        assert rows(connection, either or "false") == rows(connection, condition), condition


@pytest.mark.drawn
def test_what_fails_an_alternative_meets_one_of_its_opposites(connection):
    for condition in DRAWN:
        for alternative in alternatives(condition):
            opposites = [terms_of(opposite) for opposite in alternative.opposites()]
            either = " or ".join(f"({' and '.join(term.is_met for term in terms)})" for terms in opposites)
            met = " and ".join(term.is_met for term in terms_of(alternative)) or "true"
            assert rows(connection, either or "false") == rows(connection, f"({met}) is not true"), condition


@pytest.mark.drawn
def test_an_alternative_is_said_to_be_within_another_only_if_all_its_rows_are(connection):
    found = 0
    for one, other in itertools.pairwise(DRAWN):
        for inner, outer in itertools.product(alternatives(one), alternatives(other)):
            if inner.is_within(outer):
                found += 1
                assert Way(inner).asks_more(Way(outer))
                inside, around = (
                    " and ".join(term.is_met for term in terms_of(part)) or "true" for part in (inner, outer)
                )
                assert rows(connection, inside) <= rows(connection, around), (one, other)
    assert found > 30


@pytest.mark.drawn
def test_a_condition_that_no_row_can_meet_has_no_alternative(connection):
    impossible = [
        (one, other) for one, other in itertools.pairwise(DRAWN) if not alternatives(f"({one})", f"({other})")
    ]
    assert len(impossible) > 5
    for one, other in impossible:
        assert rows(connection, f"({one}) and ({other})") == set(), (one, other)


@pytest.mark.drawn
def test_a_condition_written_anew_means_the_same(connection):
    for condition in DRAWN:
        assert rows(connection, as_text(parse(condition))) == rows(connection, condition)


def test_whole_numbers_have_none_between_them_and_scores_end_at_five():
    assert alternatives("orders_12m > 3 and orders_12m < 4") == []
    assert alternatives("orders_12m < 0") == alternatives("recency_score > 5") == []
    assert alternatives("recency_score > 4.5") == alternatives("recency_score >= 5")
    assert alternatives("overdue_ratio > 3 and overdue_ratio < 4") != []
    (alternative,) = alternatives("orders_12m > 3")
    assert alternative.limits == {"orders_12m": Limit(least=(4.0, False), null=frozenset({False}))}


def test_what_is_left_out_at_a_limit_moves_the_limit():
    for condition in (
        "recency_score > 4 and recency_score <> 5",
        "recency_score not in (5, 4, 1, 2, 3)",
        "lifetime_orders < 2 and lifetime_orders not in (1, 0)",
        "overdue_ratio >= 2 and overdue_ratio <= 2 and overdue_ratio <> 2",
    ):
        assert alternatives(condition) == [], condition
    for condition, same in {
        "overdue_ratio >= 2 and overdue_ratio <> 2": "overdue_ratio > 2",
        "overdue_ratio <> 2 and overdue_ratio <= 2": "overdue_ratio < 2",
        "orders_12m > 3 and orders_12m not in (1, 4, 5)": "orders_12m >= 6",
        "recency_score <> 5": "recency_score <= 4",
    }.items():
        assert alternatives(condition) == alternatives(same), condition
    assert alternatives("overdue_ratio > 2 and overdue_ratio <> 3") != alternatives("overdue_ratio > 2")


@pytest.mark.drawn
def test_what_is_said_of_whole_numbers_holds_for_every_score():
    connection = duckdb.connect(config={"threads": 1})
    columns = {"x": "recency_score", "y": "frequency_score"}
    connection.execute(f"""
        create table everyone as
        select {", ".join(f"{old} as {new}" for old, new in columns.items())}, z, is_w
        from (values (null), (1), (2), (3), (4), (5)) as x (x)
        cross join (values (null), (1), (2), (3), (4), (5)) as y (y)
        cross join (values (null), ('a'), ('b'), ('c')) as z (z)
        cross join (values (null), (true), (false)) as w (is_w)
    """)
    for drawn in DRAWN:
        condition = re.sub(r"\b[xy]\b", lambda found: columns[found[0]], drawn)
        for number, other in {"3": "5", "2": "4"}.items():
            condition = condition.replace(number, other) if len(drawn) % 2 else condition
        for text in (condition, f"not ({condition})"):
            met = [terms_of(alternative) for alternative in alternatives(text)]
            either = " or ".join(
                f"({' and '.join(term.is_met for term in terms) or 'true'})" for terms in met
            )
            assert rows(connection, either or "false") == rows(connection, text), text


def test_of_features_of_ones_own_no_range_is_known():
    for condition in (
        "nps_score >= 9",
        "churn_score < 0.5",
        "days_from_x < -3",
        "nps_score > 3 and nps_score < 4",
        "days_since_birthday < 0",
    ):
        assert len(alternatives(condition)) == 1, condition


def test_texts_that_stand_for_another_value_are_left_undecided():
    """They may be the same value, written in two ways: the database compares what they stand for."""
    for one, other in (
        ("lifetime_orders = 1", "lifetime_orders in ('1', '2')"),
        ("lifetime_orders = '1'", "lifetime_orders = '1.0'"),
        ("first_order_on = '2024-1-1'", "first_order_on = '2024-01-01'"),
        ("first_order_on = '2024/01/01'", "first_order_on in ('2024-01-01', '2025-01-01')"),
        ("is_active = 'true'", "is_active = 't'"),
        ("is_active = 1", "is_active = 'yes'"),
        ("overdue_ratio = 'inf'", "overdue_ratio = 'Infinity'"),
    ):
        assert alternatives(one, other) != [], (one, other)
        assert not any(
            inner.is_within(outer) for inner in alternatives(one) for outer in alternatives(f"not {other}")
        )
    assert alternatives("age_band = '65+'", "age_band in ('35-44', '45-54')") == []


def test_a_claim_and_its_opposite_exclude_each_other():
    (claimed,) = alternatives("is_w")
    (opposite,) = claimed.opposites()
    assert (claimed & opposite).is_impossible()
    assert not claimed.is_impossible() and not opposite.is_impossible()


def test_a_condition_of_very_many_alternatives_stays_text():
    condition = " and ".join(f"(a{number} > 1 or b{number} > 2)" for number in range(40))
    (alternative,) = alternatives(condition)
    assert [claim.text for claim in alternative.claims] == [condition]


def test_columns_are_named_in_the_order_in_which_a_condition_uses_them():
    assert columns_of("coalesce(B, a) > 1 and not (c in (1, 2) or b = d)") == ["b", "a", "c", "d"]
    assert columns_of("z = 'a' and z like 'b%'") == ["z"]


def test_texts_keep_their_case_when_a_condition_is_written_anew():
    written = as_text(parse("NOT Kind = 'Big''s AND so on' AND COALESCE(Orders, 0) > 3"))
    assert written == "not kind = 'Big''s AND so on' and coalesce(orders, 0) > 3"


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "orders >": "look near '>'",
        "(orders > 3": r"look near",
        "orders > 3 revenue": "look near|more, or less, than one",
        "orders > 3; true": "more, or less, than one condition",
        "select 1": "more, or less, than one condition",
        "kind = 'business": "something in it doesn't end",
        "": "it is empty",
        "  ": "it is empty",
    }.items(),
)
def test_what_is_no_condition_is_told_where(text: str, message: str):
    with pytest.raises(ConditionError, match=message):
        parse(text)
