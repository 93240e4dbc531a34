"""The report says in one short table what a build found."""

import re
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from conftest import PROJECT, Outcome

from customer_segmentation.cli import main
from customer_segmentation.databases import DatabaseError
from customer_segmentation.report import WIDTH, plain_console, print_report

MARTS = """
create schema marts;
create table marts.customers as
select * from (values
    (date '2026-06-30', 3, 300.4),
    (date '2026-06-30', 1, 99.6)
) as t (as_of_date, lifetime_orders, lifetime_revenue);

create table marts.identified_revenue as
select * from (values
    (date '2026-06-01', 5, 4, 500.4, 400.4),
    (date '2026-05-01', 0, 0, 0.0, 0.0)
) as t (revenue_month, orders, identified_orders, revenue, identified_revenue);

create table marts.segments as
select * from (values
    ('lifecycle', 'new', 'New', 'first_match', 1, null, 'v2'),
    ('lifecycle', 'slowing', 'Slowing', 'first_match', 2, null, 'v2'),
    ('lifecycle', 'dormant', 'Dormant', 'first_match', 3, null, 'v2'),
    ('behaviour', 'premium', 'Premium', 'all_matches', 1, null, 'v1'),
    ('behaviour', 'birthday', 'Birthday', 'all_matches', 2, 'customers.birth_date', 'v1'),
    ('geographic', 'capital', 'Capital', 'first_match', 1, 'customers.region', 'v1'),
    ('geographic', 'coast', 'Coast', 'first_match', 2, 'customers.region', 'v1'),
    ('value_potential', 'keep', 'Keep', 'first_match', 1, null, 'v1'),
    ('value_potential', 'grow', 'Grow', 'first_match', 2, null, 'v1')
) as t (segmentation, segment, label, assignment, position, left_out_because, definition_version);

create schema segments;
create table segments.publications as
select * from (values
    (date '2026-04-30', 'lifecycle', 'v1'),
    (date '2026-05-31', 'lifecycle', 'v1'),
    (date '2026-06-30', 'lifecycle', 'v2'),
    (date '2026-05-31', 'behaviour', 'v1'),
    (date '2026-06-30', 'behaviour', 'v1')
) as t (as_of_date, segmentation, definition_version);

create table marts.restatement_due as
select * from (values
    (date '2026-03-31', 0, 0.0, 0.0, 'lifecycle'),
    (date '2026-04-30', 1, 900.4, 1000.4, 'lifecycle'),
    (date '2026-05-31', 2, 1200.4, 1300.4, null)
) as t (as_of_date, customers, revenue_published, revenue_now, redefined_segmentations);

create table marts.segment_profiles as
select
    *,
    case when segment = '(all)' then 1000.4 end as expected_revenue_365d,
    case when segment = '(all)' then 900.4 end as expected_revenue_365d_low,
    case when segment = '(all)' then 1100.4 end as expected_revenue_365d_high,
    0.1::double as expected_revenue_365d_margin,
    'two holdouts' as expected_revenue_365d_rests_on,
    0.5 as share_core
from (values
    (date '2026-06-30', '(all)', '(all)', 2, 1.0, 1.0),
    (date '2026-06-30', 'lifecycle', 'dormant', 1, 0.5, null),
    (date '2026-06-30', 'lifecycle', 'new', 1, 0.5, 0.75),
    (date '2026-06-30', 'behaviour', 'premium', 1, 0.5, 0.75)
) as t (as_of_date, segmentation, segment, customers, share_of_customers, share_of_revenue_12m);

create table marts.core_customers as
select * from (values (0.81, true), (0.19, false)) as t (share_of_expected_revenue, is_core);

create table marts.model_evaluation as
select *, fitted_on as as_of_date, null::varchar as note from (values
    ('expected_orders_90d', date '2025-12-31', 'overall', 'better', null, true),
    ('expected_orders_90d', date '2026-03-31', '(none)', null, null, true),
    ('churn_probability', date '2026-03-31', 'overall', 'worse', 'segment mean', false),
    ('lifetime_order_probability', date '2026-03-31', 'overall', 'better', null, true),
    ('clusters', date '2026-03-31', 'jaccard_min', null, null, null)
) as t (score, fitted_on, metric, overall_verdict, replaced_by, is_offered)
union all
select 'learned_order_probability', date '2026-03-31', '(none)', null, null, false, date '2026-03-31',
    '12 buyers; 500 are needed'
union all
select 'clusters', date '2026-03-31', '(none)', null, null, null, date '2026-03-31', '80 buyers';

alter table marts.model_evaluation add column total_ratio double;
alter table marts.model_evaluation add column total_verdict text;
update marts.model_evaluation set total_ratio = 1.354, total_verdict = 'too high'
where score = 'expected_orders_90d' and metric = 'overall';
update marts.model_evaluation set total_ratio = 0.996, total_verdict = 'holds'
where score = 'churn_probability';

create table marts.calibration as
select *, 'expected_revenue_' || horizon_days || 'd' as score from (values
    (365, date '2025-05-31', '(all)', '(all)', 100, 1350, 1000, 1.35, 'too high'),
    (365, date '2025-05-31', 'lifecycle', 'new', 100, 350, 100, 3.5, 'too high'),
    (365, date '2025-05-31', 'lifecycle', 'dormant', 500, 60, 0, null, 'too high'),
    (365, date '2025-05-31', 'lifecycle', 'active', 200, 100, 125, 0.8, 'holds'),
    (365, date '2025-04-30', 'lifecycle', 'active', 200, 500, 125, 4, 'too high'),
    (90, date '2026-03-31', 'lifecycle', 'active', 200, 500, 125, 4, 'too high')
) as t (
    horizon_days, as_of_date, segmentation, segment, customers, mean_predicted, mean_actual, ratio, verdict
);

create table marts.drift as
select * from (values
    ('clusters', 'visits_90d', date '2026-05-31', date '2026-03-31', 0.9, 'shifted', true),
    ('clusters', 'visits_90d', date '2026-06-30', date '2026-03-31', 0.3, 'shifted', true),
    ('clusters', 'discount_share', date '2026-06-30', date '2026-03-31', 0.1, 'watch', true),
    ('lifetime', 'purchases_per_day', date '2026-06-30', date '2026-03-31', 0.0, 'stable', false)
) as t (fit, feature, as_of_date, fitted_on, population_stability_index, verdict, is_stale);

create table marts.cluster_profiles (cluster text);

create table marts.segment_kpis as
select * from (values
    (date '2026-05-31', 'lifecycle', 'new', 5, null),
    (date '2026-06-30', 'lifecycle', 'new', 9, 0),
    (date '2026-06-30', 'lifecycle', 'slowing', 3, 0),
    (date '2026-06-30', 'lifecycle', 'dormant', null, null)
) as t (as_of_date, segmentation, segment, customers_before, undated);

create table marts.input_reconciliation as
select * from (values
    ('orders', 1204, 1200, 4, 0.0033, 0.0125, false),
    ('products', 10, 10, 0, 0.0, null, false),
    ('customers', 10, 8, 2, 0.2, null, false)
) as t (input, rows_in, rows_accepted, rows_rejected, share_rejected, share_of_amount_rejected, loses_much);

create table marts.segmentation_validity as
select * from (values
    ('lifecycle', 'dormant', 3, 'segment too small'),
    ('lifecycle', 'new', 1, 'segment too small'),
    ('lifecycle', '(all)', 0, 'two segments no different'),
    ('lifecycle', 'slowing', 2, null)
) as t (segmentation, segment, position, mistake);

create table marts.hypotheses as
select * from (values
    ('lifecycle', 'new', date '2026-03-31', 'supported'),
    ('lifecycle', 'slowing', date '2026-03-31', 'refuted'),
    ('lifecycle', 'dormant', date '2026-03-31', 'supported'),
    ('geographic', 'capital', null, 'too few')
) as t (segmentation, segment, as_of_date, verdict);
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(MARTS)
    return path


def said_of(database: Path) -> str:
    """Return the report as it is printed."""
    console = plain_console(width=WIDTH)
    with console.capture() as printed:
        print_report(database, "KRW", console)
    return printed.get()


@pytest.fixture
def report(database: Path) -> list[str]:
    return [" ".join(line.split()) for line in said_of(database).splitlines()]


def test_it_begins_with_the_whole(report: list[str]):
    assert report[:2] == [
        "As of 2026-06-30: 2 customers, 4 orders, revenue KRW 400",
        "Identified revenue: 80.0 % of all; KRW 100 more came of 1 order without a customer",
    ]


def test_segments_stand_in_the_order_of_the_catalogue_with_their_change(report: list[str]):
    new = report.index("lifecycle New 1 50.0 % 75.0 % -8")
    assert report[new + 1 : new + 3] == ["Slowing 0 0.0 % 0.0 % -3", "Dormant 1 50.0 % - -"]


def test_overlapping_segments_are_marked(report: list[str]):
    assert "behaviour (overlapping) Premium 1 50.0 % 75.0 % -" in report


def test_it_says_what_is_expected_and_who_makes_up_most_of_it(report: list[str]):
    assert (
        "Expected in 365 days: revenue KRW 1,000 (90 % band 900 to 1,100); "
        "50.0 % of the customers make up 81 % of it"
    ) in " ".join(report)


def test_a_band_that_is_too_wide_to_decide_by_is_told_with_its_reason(database: Path):
    with duckdb.connect(str(database)) as connection:
        connection.execute("update marts.segment_profiles set expected_revenue_365d_margin = 0.68")
    printed = said_of(database)
    assert (
        "Expected in 365 days: revenue KRW 1,000 (no band: ± 68 % is too wide to decide by; it rests on two "
        "holdouts); 50.0 % of the customers make up 81 % of it"
    ) in " ".join(printed.split())


def test_it_says_how_learned_scores_were_last_judged_or_why_not(report: list[str]):
    start = report.index("churn probability 2026-03-31 worse; segment mean is shown instead +0%")
    assert report[start : start + 3] == [
        "churn probability 2026-03-31 worse; segment mean is shown instead +0%",
        "expected orders 90d 2025-12-31 better +35% too high",
        "learned order probability - not judged: 12 buyers; 500 are needed -",
    ]


def test_it_names_the_segments_of_which_far_too_much_was_expected(report: list[str]):
    assert (
        "Off by more than 20 % in 2 segments: expected revenue 365d was all too much in lifecycle: Dormant, "
        "3.5 times what came in lifecycle: New (marts.calibration)"
    ) in " ".join(report)


def test_it_says_which_segmentations_have_nobody_and_why_there_are_no_clusters(report: list[str]):
    assert not [line for line in report if line.startswith("value_potential")]
    assert "Nobody is in value_potential yet (marts.model_evaluation says why)" in report
    assert "No clusters: 80 buyers" in report


def test_it_names_fits_that_are_stale_by_now_with_what_has_shifted(report: list[str]):
    assert [line for line in report if line.startswith("Stale")] == [
        "Stale: clusters of 2026-03-31 (visits_90d shifted; marts.drift)"
    ]


def test_it_names_only_inputs_with_rejected_rows(report: list[str]):
    assert [line for line in report if line.startswith("Rejected")] == [
        "Rejected from customers: 2 of 10 rows (20.0 %); see marts.rejected_rows",
        "Rejected from orders: 4 of 1,204 rows (0.3 %), 1.2 % of the amount; see marts.rejected_rows",
    ]


def test_it_opens_with_inputs_of_which_much_is_lost(database: Path):
    with duckdb.connect(str(database)) as connection:
        connection.execute("update marts.input_reconciliation set loses_much = true where input = 'orders'")
    printed = said_of(database)
    assert printed.splitlines()[:2] == [
        "Rejected from orders: 4 of 1,204 rows (0.3 %), 1.2 % of the amount; see marts.rejected_rows",
        "As of 2026-06-30: 2 customers, 4 orders, revenue KRW 400",
    ]


def test_it_says_what_is_left_out_and_why(report: list[str]):
    assert [line for line in report if line.startswith("Left out")] == [
        "Left out behaviour: birthday (needs customers.birth_date)",
        "Left out geographic (needs customers.region)",
    ]


def test_it_says_what_is_kept_of_earlier_versions(report: list[str]):
    assert [line for line in report if line.startswith("Kept")] == [
        "Kept as published by earlier versions of lifecycle: 2 dates. make restate publishes them anew."
    ]


def test_it_says_what_late_rows_would_change_of_closed_dates(report: list[str]):
    start = next(number for number, line in enumerate(report) if line.startswith("Restatement due"))
    assert " ".join(report[start : start + 2]) == (
        "Restatement due: 2 customers' history changed on 2 closed dates "
        "(revenue KRW 1,200 as published, 1,300 now; marts.restatement_due). make restate publishes it anew."
    )


def test_it_ends_with_the_classic_mistakes_and_how_the_claims_fared(report: list[str]):
    assert report[-4:] == [
        "Segment too small: lifecycle.new, lifecycle.dormant",
        "Two segments no different: lifecycle",
        "Hypotheses: 2 supported, 1 refuted (lifecycle.slowing)",
        "See marts.segmentation_validity and marts.hypotheses.",
    ]


def test_it_is_quiet_where_all_is_well(database: Path):
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "update marts.segmentation_validity set mistake = null; delete from marts.hypotheses;"
            "delete from marts.restatement_due"
        )
    printed = said_of(database)
    assert "marts.segmentation_validity" not in printed
    assert "Hypotheses" not in printed
    assert "Restatement" not in printed


def test_a_text_is_printed_as_it_is_written(database: Path):
    """By the command as well: what is in brackets would be markup, and between colons a picture."""
    for label in ("Best [/] ones", "[bold]New[/bold] :star:"):
        with duckdb.connect(str(database)) as connection:
            connection.execute("update marts.segments set label = ? where segment = 'slowing'", [label])
        outcome = CliRunner().invoke(main, ["report", "--input", str(database)])
        assert outcome.exit_code == 0 and label in outcome.output, outcome.exception


def test_a_database_without_marts_is_told_so(tmp_path: Path):
    path = tmp_path / "half.duckdb"
    duckdb.connect(str(path)).close()
    with pytest.raises(DatabaseError, match="Build it whole"):
        print_report(path, "KRW", plain_console())


@pytest.mark.parametrize("page", ["README.md", "README.ko.md"])
def test_the_front_door_shows_the_report_of_the_demo(page, demo: Outcome):
    text = (PROJECT / page).read_text(encoding="utf-8")
    (shown,) = re.findall(r"```text\n((?:Rejected|As of) .*?)\.\.\.\n```", text, re.DOTALL)
    printed = said_of(demo.database)
    assert shown.splitlines() == printed.splitlines()[: len(shown.splitlines())]
