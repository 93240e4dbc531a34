"""`segmentation profile` and `segmentation kpis`: the numbers of the marts, whole, within a terminal."""

from itertools import pairwise

import duckdb
import pytest
from click.testing import CliRunner

from customer_segmentation.cli import main
from customer_segmentation.report import WIDTH


@pytest.fixture
def run(demo):
    def on_the_demo(*arguments: object):
        outcome = CliRunner().invoke(main, [*map(str, arguments), "--input", str(demo.database)])
        assert max(map(len, outcome.output.splitlines())) <= WIDTH or outcome.exit_code
        return outcome

    return on_the_demo


def lines(output: str) -> list[list[str]]:
    return [line.replace(" %", "%").split() for line in output.splitlines()]


def test_a_profile_is_what_the_customers_add_up_to(run, demo):
    shown = lines(run("profile", "--segmentation", "rfm").output)
    rows = demo.rows(
        """
        select
            coalesce(segments.label, 'All customers'),
            count(*),
            count(*) / count(customers.rfm),
            sum(revenue_12m),
            sum(expected_revenue_365d)
        from marts.customers
        left join marts.segments on segments.segmentation = 'rfm' and segments.segment = customers.rfm
        group by rollup (segments.label)
        having grouping(segments.label) = 1 or segments.label is not null
        """
    )
    everybody = max(row[1] for row in rows)
    buyers = sum(row[1] for row in rows) - everybody
    assert len(rows) == 11
    for label, customers, _, revenue, expected in rows:
        of = everybody if customers == everybody else buyers
        beginning = [*label.split(), f"{customers:,}", f"{100 * customers / of:.1f}%", f"{revenue:,.0f}"]
        (line,) = [line for line in shown if line[: len(beginning)] == beginning]
        assert f"{expected:,.0f}" == line[-3], label


def test_without_a_segmentation_all_are_shown(run, demo):
    shown = lines(run("profile").output)
    names = demo.rows("select distinct segmentation from marts.segment_profiles")
    assert all([name] in shown for (name,) in names)


def test_kpis_of_everybody_are_what_customers_and_orders_add_up_to(run, demo):
    rows = demo.rows(
        """
        select as_of_date, count(distinct customer_id)
        from marts.segment_membership
        where segmentation = 'lifecycle'
        group by as_of_date
        order by as_of_date
        """
    )
    shown = [line for line in lines(run("kpis", "--months", 99).output) if line and line[0][:2] == "20"]
    dated = {line[0]: line for line in shown if line[1] != "since"}
    assert {day: line[1] for day, line in dated.items()} == {str(day): f"{count:,}" for day, count in rows}
    came = {str(day): now - before for (_, before), (day, now) in pairwise(rows)}
    assert {day: int(line[2]) for day, line in dated.items() if line[2] != "-"} == came  # nobody ever leaves


def test_kpis_of_segments_are_what_their_members_did(run, demo):
    days = demo.rows("select distinct as_of_date from marts.customers")[0][0]
    rows = demo.rows(
        f"""
        with

        places as (
            select as_of_date, customer_id, segment
            from marts.segment_membership
            where segmentation = 'loyalty_tier'
        ),

        before as (
            select * from places
            where as_of_date = (select max(as_of_date) from places where as_of_date < '{days}')
        )

        select
            segments.label,
            count(places.customer_id),
            count(places.customer_id) filter (before.segment is null),
            count(before.customer_id) filter (before.segment = places.segment)
            / (select count(*) from before as others where others.segment = places.segment)
        from places
        left join before using (customer_id)
        inner join marts.segments
            on segments.segmentation = 'loyalty_tier' and segments.segment = places.segment
        where places.as_of_date = '{days}'
        group by segments.label, places.segment
        """
    )
    shown = lines(run("kpis", "--segmentation", "loyalty_tier", "--months", 1).output)
    assert len(rows) == 4
    for label, customers, new, stayed in rows:
        line = shown[shown.index([label]) + 1]
        assert line[:4] == [str(days), f"{customers:,}", f"{new:,}", f"{100 * stayed:.1f}%"]


def test_of_the_first_date_nothing_is_known_of_before(run):
    shown = [line for line in lines(run("kpis", "--months", 99).output) if line and line[0][:2] == "20"]
    assert shown[0][2:5] == ["-", "-", "-"]


@pytest.mark.parametrize("command", ["profile", "kpis"])
def test_an_unknown_segmentation_is_told_the_nearest_one(run, command):
    outcome = run(command, "--segmentation", "lifecycel")
    assert outcome.exit_code == 1
    assert "no segmentation 'lifecycel'. Did you mean lifecycle? There is behaviour" in outcome.output


@pytest.mark.parametrize("command", ["profile", "kpis"])
def test_before_the_first_build_it_says_what_to_do(command, tmp_path):
    never = tmp_path / "never_built.yml"
    never.write_text("inputs: {orders: {table: t}}")
    outcome = CliRunner().invoke(main, [command, "--input", str(never)])
    assert outcome.exit_code == 1
    assert "Build it first" in outcome.output


@pytest.mark.parametrize("command", ["profile", "kpis"])
def test_a_database_that_was_built_in_part_is_told_so(command, tmp_path):
    database = tmp_path / "part.duckdb"
    duckdb.connect(str(database)).close()
    outcome = CliRunner().invoke(main, [command, "--input", str(database)])
    assert outcome.exit_code == 1
    assert "Build it whole" in outcome.output
