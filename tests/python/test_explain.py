"""What is told of one customer: every segment and why, the way up, the moves; and what if there is none."""

import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from conftest import Outcome
from hypothesis import given
from hypothesis import strategies as st

from customer_segmentation.cli import main
from customer_segmentation.databases import DatabaseError
from customer_segmentation.explain import ExplainError, Explanation, Move, Place, explain
from customer_segmentation.explain_print import print_explanation
from customer_segmentation.report import WIDTH, plain_console
from customer_segmentation.terms import alternatives_of, as_text, terms_of, with_values

LATEST = "(select max(as_of_date) from marts.customers)"


def printed(told: Explanation) -> str:
    console = plain_console(width=WIDTH)
    with console.capture() as captured:
        print_explanation(told, "KRW", console)
    return captured.get()


def flat(told: Explanation) -> str:
    """Return what is printed as one line, without the breaks of the tables."""
    return " ".join(printed(told).split())


def somebody(demo: Outcome, condition: str) -> str:
    """Return the first customer of whom a condition over marts.customers holds."""
    return demo.rows(f"select min(customer_id) from marts.customers where {condition}")[0][0]


@pytest.fixture
def copied(demo: Outcome, tmp_path: Path):
    """Change a copy of the demo's database, and return its path."""

    def change(*statements: str) -> Path:
        path = tmp_path / "shop.duckdb"  # the name that views in it know
        shutil.copy(demo.database, path)
        with duckdb.connect(str(path)) as connection:
            for statement in statements:
                connection.execute(statement)
        return path

    return change


def test_everybody_is_where_the_published_record_says_and_by_a_condition_that_holds(demo: Outcome):
    labels = {row[:2]: row[2] for row in demo.rows("select segmentation, segment, label from marts.segments")}
    sample = demo.rows("select customer_id from marts.customers order by md5(customer_id) limit 12")
    dates = demo.rows("select distinct as_of_date from segments.publications order by 1 desc limit 2")
    for (customer_id,) in sample:
        for (day,) in dates:
            record = demo.frame(
                "select * from segments.segment_history "
                f"where customer_id = '{customer_id}' and as_of_date = '{day}'"
            )
            if record.empty:
                continue
            rows = [
                (name, segment)
                for name in {name for name, _ in labels}
                for segment in (record[name].iloc[0] or "").split("|")
                if segment
            ]
            told = explain(demo.database, customer_id, day)
            found = [(place.segmentation, label) for place in told.places for label in place.segments]
            assert sorted(found) == sorted((name, labels[name, segment]) for name, segment in rows)
            assert [remark for place in told.places for remark in place.remarks] == []
            assert max(map(len, printed(told).splitlines())) <= WIDTH


def test_the_condition_stands_with_the_customers_own_values(demo: Outcome):
    ((customer_id, ratio, days),) = demo.rows(
        f"""
        select customer_id, overdue_ratio, days_since_last_order from segments.customer_features
        inner join segments.segment_history using (customer_id, as_of_date)
        where as_of_date = {LATEST} and lifecycle = 'lapsed' order by customer_id limit 1
        """
    )
    (place,) = explain(demo.database, customer_id, segmentation="lifecycle").places
    assert place.because == [
        f"overdue_ratio > 3 ({as_text(ratio)}) and days_since_last_order > 60 ({as_text(days)})"
    ]


def test_a_prospect_is_told_why_there_is_nothing_to_rank(demo: Outcome):
    text = flat(explain(demo.database, somebody(demo, "lifecycle = 'prospect'")))
    assert "no order yet; on record since" in text
    assert "rfm in none looks only at lifetime_orders > 0 (0)" in text
    assert "lifecycle New 1 more order (0 of 1)" in text


def test_who_is_in_the_best_segment_is_told_no_way_up(demo: Outcome):
    told = explain(demo.database, somebody(demo, "loyalty_tier = 'platinum'"), segmentation="loyalty_tier")
    assert "On the way up" not in printed(told)
    assert "Not in a better one" not in printed(told)


def test_the_way_up_is_told_in_orders_and_amounts(demo: Outcome):
    rows = demo.rows(
        """
        select customer_id, value, needed from marts.segment_distance_to_next
        where segmentation = 'loyalty_tier' and segment = 'gold' and terms_unmet = 1
            and feature = 'orders_12m' and difference > 1
        order by customer_id limit 1
        """
    )
    ((customer_id, value, needed),) = rows
    text = flat(explain(demo.database, customer_id, segmentation="loyalty_tier"))
    assert f"Platinum {needed - value:.0f} more orders in 12 months ({value:.0f} of {needed:.0f})" in text

    ((customer_id, more),) = demo.rows(
        """
        select customer_id, metric_difference from marts.segment_distance_to_next
        where segmentation = 'value_potential' and terms_unmet = 1 and metric = 'revenue_12m'
            and metric_difference > 1000
        order by customer_id limit 1
        """
    )
    text = flat(explain(demo.database, customer_id, segmentation="value_potential"))
    assert f"over KRW {more:,.0f} more revenue in 12 months" in text


def test_a_lapsed_customer_is_one_order_away_from_being_won_back(demo: Outcome):
    text = flat(explain(demo.database, somebody(demo, "lifecycle = 'lapsed'"), segmentation="lifecycle"))
    assert "Won back 1 more order, which brings" in text
    assert re.search(r"it ends a break of [\d.]+ times the expected days", text)


def test_a_past_date_says_what_the_next_better_one_asks_for(demo: Outcome):
    ((customer_id, day),) = demo.rows(
        f"""
        select customer_id, as_of_date from segments.segment_history
        where loyalty_tier = 'silver' and as_of_date < {LATEST} order by 2, 1 limit 1
        """
    )
    told = explain(demo.database, customer_id, day, "loyalty_tier")
    assert told.places[0].why_not_better.startswith("Gold: monetary_12m_score >= 4 (")
    assert all(move.as_of_date <= day for move in told.moves)


def test_moves_are_those_of_the_record_with_their_cause(demo: Outcome):
    ((customer_id, day, rules),) = demo.rows(
        """
        select customer_id, as_of_date, moved_by_rule from segments.segment_history
        where moved_by_rule like '%rfm:refit%' order by 2 desc, 1 limit 1
        """
    )
    assert "rfm:refit" in rules
    told = explain(demo.database, customer_id, segmentation="rfm")
    record = demo.rows(
        f"""
        select as_of_date, lag(label) over (order by as_of_date) as label_before, label
        from segments.segment_history
        left join marts.segments on segments.segmentation = 'rfm' and segments.segment = rfm
        where customer_id = '{customer_id}'
        qualify label is distinct from label_before and row_number() over (order by as_of_date) > 1
        """
    )
    assert [(move.as_of_date, move.from_segment, move.to_segment) for move in told.moves] == record
    assert [move.cause for move in told.moves if move.as_of_date == day] == ["refit"]


def test_what_was_published_stands_beside_what_would_be_said_today(demo: Outcome, copied):
    customer_id = somebody(demo, "loyalty_tier = 'platinum'")
    ((day,),) = demo.rows(f"select max(as_of_date) from segments.publications where as_of_date < {LATEST}")
    published = f"customer_id = '{customer_id}' and as_of_date = '{day}'"
    late = copied(f"update segments.segment_history set loyalty_tier = 'member' where {published}")
    (place,) = explain(late, customer_id, day, "loyalty_tier").places
    assert place.segments == ["Member"]
    assert "published as Member; by what is known today it would have been Platinum" in place.remarks[0]

    changed = copied(
        f"update segments.segment_history set loyalty_tier = 'gold' where {published}",
        f"""
        update segments.publications set
            definition_version = 'before',
            definition = replace(definition, 'orders_12m >= 12', 'orders_12m >= 1200')
        where segmentation = 'loyalty_tier' and as_of_date = '{day}'
        """,
    )
    (place,) = explain(changed, customer_id, day, "loyalty_tier").places
    assert place.segments == ["Gold"]
    assert place.remarks == ["the definition has changed since: today's would say Platinum"]

    gone = copied(
        "update segments.publications set definition = replace(definition, 'orders_12m', 'orders_gone')"
        f" where as_of_date = '{day}'"
    )
    (place,) = explain(gone, customer_id, day, "loyalty_tier").places
    assert "can't be evaluated any more" in place.remarks[0]


def test_an_unknown_customer_is_told_the_most_similar_ids(demo: Outcome):
    with pytest.raises(ExplainError, match=r"(?s)no customer 'C00012'.*C0001.*marts.customers") as error:
        explain(demo.database, "C00012")
    assert "C0012" in str(error.value)
    with pytest.raises(ExplainError, match="ids: C0012,"):
        explain(demo.database, "c0012")


def test_a_date_off_the_grid_is_told_the_dates(demo: Outcome):
    with pytest.raises(ExplainError, match=r"2026-06-16 is no as-of date. There is 2025-05-31, 2025-06-30"):
        explain(demo.database, "C0001", date(2026, 6, 16))


def test_a_customer_who_was_not_known_yet_is_told_since_when(demo: Outcome):
    ((customer_id, first),) = demo.rows(
        "select customer_id, min(as_of_date) from segments.segment_history"
        " group by 1 order by 2 desc, 1 limit 1"
    )
    with pytest.raises(ExplainError, match=f"not known on 2025-06-30. There is {first}"):
        explain(demo.database, customer_id, date(2025, 6, 30))


def test_an_unknown_segmentation_is_told_which_there_are(demo: Outcome):
    with pytest.raises(ExplainError, match=r"no segmentation 'tier'. There is rfm, lifecycle, loyalty_tier"):
        explain(demo.database, "C0001", segmentation="tier")


def test_a_database_that_is_not_built_or_only_half_is_told_so(tmp_path: Path):
    vars_file = tmp_path / "never_built.yml"
    vars_file.write_text("inputs: {orders: {table: t}}", encoding="utf-8")
    outcome = CliRunner().invoke(main, ["explain", "C1", "--input", str(vars_file)])
    assert outcome.exit_code == 1
    assert "Build it first" in outcome.output
    half = tmp_path / "half.duckdb"
    duckdb.connect(str(half)).close()
    with pytest.raises(DatabaseError, match="Build it whole"):
        explain(half, "C1")


def test_a_database_that_is_being_written_is_told_so(tmp_path: Path):
    path = tmp_path / "busy.duckdb"
    code = f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout.readline() == "open\n"
        with pytest.raises(DatabaseError, match="is being written"):
            explain(path, "C1")
        writer.communicate("\n")


WORDS = ["and", "or", "not", "(", ")", "between", "case", "end", "x", "1", "=", "'a and b'", "in", "<="]


@given(st.lists(st.sampled_from(WORDS), min_size=1))
def test_terms_put_together_are_the_condition(words: list[str]):
    condition = " ".join(words)
    assert " ".join(terms_of(condition)).strip() == condition


def test_a_text_is_printed_as_it_is_written():
    label = "Best [/] ones"
    told = Explanation(
        customer_id="[b]1",
        as_of_date=date(2026, 6, 30),
        latest=date(2026, 6, 30),
        known_since=date(2026, 5, 31),
        is_known_longer=False,
        values={"lifetime_orders": 0},
        places=[
            Place(
                "rfm", [label], ["kind = '[/x]'"], why_not_better=f"{label}: orders_12m > 3", remarks=[label]
            )
        ],
        moves=[Move(date(2026, 6, 30), "rfm", label, "[red]", "customer")],
        left_out={},
    )
    said = printed(told)
    assert "[b]1" in said and "'[/x]'" in said and "[red]" in said and said.count(label) == 4


def test_a_condition_is_split_where_people_read_it():
    condition = "a between 1 and 2 and (b = 1 or c = 2) or kind = 'x or y'"
    assert terms_of(condition) == ["a between 1 and 2", "and (b = 1 or c = 2)", "or kind = 'x or y'"]
    assert alternatives_of(condition) == ["a between 1 and 2 and (b = 1 or c = 2)", "kind = 'x or y'"]
    values = {"a": None, "b": 1.25, "c": 12_345, "kind": "x or y"}
    assert with_values(condition, values) == (
        "a between 1 and 2 (unknown) and (b = 1 or c = 2) (b 1.25, c 12,345) or kind = 'x or y'"
    )


def test_a_damaged_database_is_told_so(demo: Outcome, tmp_path: Path):
    damaged = tmp_path / "damaged.duckdb"
    content = bytearray(demo.database.read_bytes())
    for place in range(1 << 15, len(content), 1 << 14):
        content[place : place + 64] = bytes(64)
    damaged.write_bytes(content)
    with pytest.raises(DatabaseError, match=r"is damaged|can't be read"):
        explain(damaged, "C0001")
