"""What a build found, in one short table on the terminal."""

from collections import Counter
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from customer_segmentation import databases
from customer_segmentation.errors import ReadableError

WIDTH = 100

Rows = list[tuple[Any, ...]]  # of a query

HEADLINE = """
select
    max(as_of_date),
    count(*),
    sum(lifetime_orders),
    sum(lifetime_revenue)
from marts.customers
"""

# what was ordered by nobody known, of all the revenue there ever was
UNIDENTIFIED = """
select
    cast(sum(orders - identified_orders) as bigint) as orders,
    sum(revenue - identified_revenue) as revenue,
    sum(identified_revenue) / nullif(sum(revenue), 0) as identified_share
from marts.identified_revenue
having sum(orders - identified_orders) > 0 or sum(revenue - identified_revenue) <> 0
"""

EXPECTED = """
select
    expected_revenue_365d,
    expected_revenue_365d_low,
    expected_revenue_365d_high,
    expected_revenue_365d_margin,
    expected_revenue_365d_rests_on,
    share_core,
    (select round(100 * sum(share_of_expected_revenue)) from marts.core_customers where is_core)
from marts.segment_profiles
where segmentation = '(all)'
"""

# the last time that a score could be judged, or else why it could not be
JUDGED = """
with

judged as (
    select
        score,
        is_offered,
        fitted_on,
        max(overall_verdict) as verdict,
        max(replaced_by) as replaced_by,
        max(note) filter (metric = '(none)') as note,
        any_value(total_ratio) as total_ratio,
        any_value(total_verdict) as total_verdict,
        row_number() over (partition by score order by max(overall_verdict) is null, fitted_on desc) as place
    from marts.model_evaluation
    where is_offered is not null
    group by score, is_offered, fitted_on
)

select
    score,
    case when verdict is not null then fitted_on end,
    verdict,
    is_offered,
    replaced_by,
    note,
    total_ratio,
    total_verdict
from judged
where place = 1
order by score
"""

# segments of which far too much or too little revenue was expected, the dearest misses first
OFF = """
with

judged as (
    select
        score,
        max(as_of_date) as as_of_date
    from marts.calibration
    where score like 'expected_revenue%'
    group by score
    order by max(horizon_days) desc
    limit 1
)

select
    calibration.score,
    calibration.segmentation || ': ' || segments.label,
    calibration.ratio
from marts.calibration
inner join judged using (score, as_of_date)
-- clusters that are gone by now tell nobody anything
inner join marts.segments using (segmentation, segment)
where calibration.verdict in ('too high', 'too low')
order by
    calibration.customers * abs(calibration.mean_predicted - calibration.mean_actual) desc,
    segmentation,
    segment
"""

# rowid: in the order of the catalogue
SEGMENTS = """
with

latest as (
    select max(as_of_date) as as_of_date from marts.customers
)

select
    segments.segmentation || case when segments.assignment = 'all_matches' then ' (overlapping)' else '' end,
    segments.label,
    coalesce(profiles.customers, 0),
    case when profiles.segment is null then 0 else profiles.share_of_customers end,
    case when profiles.segment is null then 0 else profiles.share_of_revenue_12m end,
    -- whom nothing dates is new on every latest date
    coalesce(profiles.customers, 0) - kpis.customers_before - coalesce(kpis.undated, 0)
from marts.segments as segments
cross join latest
left join marts.segment_profiles as profiles
    on latest.as_of_date = profiles.as_of_date
    and segments.segmentation = profiles.segmentation
    and segments.segment = profiles.segment
left join marts.segment_kpis as kpis
    on latest.as_of_date = kpis.as_of_date
    and segments.segmentation = kpis.segmentation
    and segments.segment = kpis.segment
where segments.left_out_because is null
order by min(segments.rowid) over (partition by segments.segmentation), segments.position
"""

REJECTED = """
select
    input,
    rows_in,
    rows_rejected,
    share_rejected,
    share_of_amount_rejected,
    loses_much
from marts.input_reconciliation
where rows_rejected > 0
order by loses_much desc, share_rejected desc, input
"""

LEFT_OUT = """
select
    segmentation || case
        when count(left_out_because) < count(*)
            then ': ' || string_agg(segment, ', ' order by position) filter (left_out_because is not null)
        else ''
    end,
    string_agg(left_out_because, ', ')
from marts.segments
where assignment <> 'learned'
group by segmentation
having count(left_out_because) > 0
order by segmentation
"""

KEPT = """
with

definitions as (
    select distinct segmentation, definition_version from marts.segments
)

select
    segmentation,
    count(*)
from segments.publications
inner join definitions using (segmentation)
where publications.definition_version <> definitions.definition_version
group by segmentation
order by segmentation
"""

# customers are those of the closed date with most of them; a changed definition is no reason to restate
RESTATEMENT_DUE = """
select
    customers,
    count(*) over (),
    revenue_published,
    revenue_now
from marts.restatement_due
where customers > 0
order by customers desc, as_of_date desc
limit 1
"""

STALE = """
select
    fit,
    max(fitted_on),
    string_agg(feature, ', ' order by population_stability_index desc) filter (verdict = 'shifted')
from marts.drift
where as_of_date = (select max(as_of_date) from marts.drift) and is_stale
group by fit
order by fit
"""

# why the latest fit has no clusters
NO_CLUSTERS = """
select max_by(note, as_of_date)
from marts.model_evaluation
where score = 'clusters' and note is not null and not exists (select 1 from marts.cluster_profiles)
having count(*) > 0
"""

# classic mistakes, each with where it was made
MISTAKES = """
select
    mistake,
    segmentation || case when segment = '(all)' then '' else '.' || segment end
from marts.segmentation_validity
where mistake is not null
order by mistake, segmentation, position
"""

# claims that could be told from the inputs
HYPOTHESES = """
select
    verdict,
    count(*),
    list(segmentation || '.' || segment order by segmentation, segment)
from marts.hypotheses
where as_of_date is not null
group by verdict
order by verdict = 'refuted', verdict
"""

NAMED = 3  # so many names fit into a line
WIDEST_BAND = 0.5  # half of it as a share of what is expected: a wider one helps no decision


class ReportError(ReadableError):
    """There is nothing to report on yet."""


def plain_console(**options: Any) -> Console:
    """Return a console that prints every text as it stands: brackets and colons are no markup there."""
    return Console(highlight=False, markup=False, emoji=False, **options)


def print_report(database: Path, currency: str, console: Console) -> None:
    """Print the segments of the latest as-of date, what was rejected and what was left out.

    Inputs of which more is rejected than `warn_if_rejected` allows come before all else.
    """
    with databases.opened(database) as connection:
        answers = [
            connection.execute(query).fetchall()
            for query in (
                HEADLINE,
                UNIDENTIFIED,
                SEGMENTS,
                EXPECTED,
                JUDGED,
                OFF,
                REJECTED,
                LEFT_OUT,
                KEPT,
                RESTATEMENT_DUE,
                STALE,
                NO_CLUSTERS,
                MISTAKES,
                HYPOTHESES,
            )
        ]
    headline, unidentified, segments, expected, judged, off, rejected, left_out, *others = answers
    kept, due, stale, no_clusters, mistakes, hypotheses = others

    as_of_date, customers, orders, revenue = headline[0]
    if as_of_date is None:
        raise ReportError(f"{database} has no customers.")
    for source, *lost, loses_much in rejected:
        if loses_much:
            console.print(_lost(source, *lost), highlight=False)
    console.print(
        f"As of {as_of_date}: {_counted(customers, 'customer')}, {_counted(orders or 0, 'order')}, "
        f"revenue {currency} {revenue or 0:,.0f}",
        highlight=False,
    )
    for guest_orders, guest_revenue, share in unidentified:
        console.print(
            f"Identified revenue: {percent(share)} of all; {currency} {guest_revenue:,.0f} more came of "
            f"{_counted(guest_orders, 'order')} without a customer",
            highlight=False,
        )
    customers_in = Counter[str]()
    for segmentation, _, members, *_ in segments:
        customers_in[segmentation] += members
    console.print(_table([row for row in segments if customers_in[row[0]]]))
    for segmentation in (name for name, members in customers_in.items() if not members):
        console.print(f"Nobody is in {segmentation} yet (marts.model_evaluation says why)", highlight=False)
    for (note,) in no_clusters:
        console.print(f"No clusters: {note}", highlight=False)
    _print_expected(expected, currency, console)
    console.print(_judgements(judged))
    if off:
        misses = [
            f"{ratio:.1f} times what came in {segment}" if ratio else f"all too much in {segment}"
            for _, segment, ratio in off[:NAMED]
        ]
        where = f"{len(off)} segments" if len(off) > 1 else "1 segment"
        console.print(
            f"Off by more than 20 % in {where}: {off[0][0].replace('_', ' ')} was {', '.join(misses)} "
            "(marts.calibration)"
        )
    for fit, fitted_on, features in stale:
        console.print(f"Stale: {fit} of {fitted_on} ({features} shifted; marts.drift)", highlight=False)
    for source, *lost, loses_much in rejected:
        if not loses_much:
            console.print(_lost(source, *lost), highlight=False)
    for what, needs in left_out:
        console.print(f"Left out {what} (needs {', '.join(sorted(set(needs.split(', '))))})", highlight=False)
    for segmentation, dates in kept:
        console.print(
            f"Kept as published by earlier versions of {segmentation}: {dates} dates. "
            "make restate publishes them anew.",
            highlight=False,
        )
    for customers, dates, published, now in due:
        console.print(
            f"Restatement due: {customers:,} customers' history changed on {dates} closed dates "
            f"(revenue {currency} {published:,.0f} as published, {now:,.0f} now; marts.restatement_due). "
            "make restate publishes it anew.",
            highlight=False,
        )
    _print_validity(mistakes, hypotheses, console)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _lost(source: str, rows_in: int, rejected: int, share: float, share_of_amount: float | None) -> str:
    """Say how much of an input is rejected."""
    money = "" if share_of_amount is None else f", {percent(share_of_amount)} of the amount"
    rows = f"{rejected:,} of {rows_in:,} rows ({percent(share)})"
    return f"Rejected from {source}: {rows}{money}; see marts.rejected_rows"


def _print_validity(mistakes: Rows, hypotheses: Rows, console: Console) -> None:
    """Print one line for each classic mistake that was made, and one for the claims of the definitions."""
    places: dict[str, list[str]] = {}
    for mistake, place in mistakes:
        places.setdefault(mistake, []).append(place)
    for mistake, found in places.items():
        console.print(f"{mistake.capitalize()}: {_listed(found)}", highlight=False)
    if hypotheses:
        counts = ", ".join(f"{count} {verdict}" for verdict, count, _ in hypotheses)
        refuted = "".join(
            f" ({_listed(segments)})" for verdict, _, segments in hypotheses if verdict == "refuted"
        )
        console.print(f"Hypotheses: {counts}{refuted}", highlight=False)
    if places or hypotheses:
        console.print("See marts.segmentation_validity and marts.hypotheses.", highlight=False)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _table(segments: Rows) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Segmentation")
    table.add_column("Segment", overflow="fold")
    for heading in ("Customers", "Share", "Revenue 12m", "Change"):
        table.add_column(heading, justify="right", no_wrap=True)
    previous = None
    for segmentation, label, customers, share, revenue_share, change in segments:
        if previous not in (None, segmentation):
            table.add_section()
        table.add_row(
            "" if segmentation == previous else segmentation,
            label,
            f"{customers:,}",
            percent(share),
            percent(revenue_share),
            "-" if change is None else f"{change:+,}",
        )
        previous = segmentation
    return table


def _print_expected(expected: Rows, currency: str, console: Console) -> None:
    for revenue, low, high, margin, rests_on, share_core, core_revenue in expected:
        if revenue is None:
            continue
        band = ""
        if margin is not None and margin > WIDEST_BAND:
            band = f" (no band: ± {100 * margin:.0f} % is too wide to decide by; it rests on {rests_on})"
        elif low is not None:
            band = f" (90 % band {low:,.0f} to {high:,.0f})"
        console.print(
            f"\nExpected in 365 days: revenue {currency} {revenue:,.0f}{band}; "
            + (
                "no core: it takes most of the customers to make up the greater part of it"
                if core_revenue is None
                else f"{percent(share_core)} of the customers make up {core_revenue:.0f} % of it"
            ),
            highlight=False,
        )


def _judgements(judged: Rows) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Learned score")
    table.add_column("Judged on", no_wrap=True)
    table.add_column("Against simple heuristics")
    table.add_column("Total off by", no_wrap=True)
    for score, judged_on, verdict, is_offered, replaced_by, note, ratio, in_all in judged:
        result = verdict or f"not judged: {note}"
        if verdict and not is_offered:
            result += f"; {replaced_by} is shown instead" if replaced_by else "; not fitted since"
        total = "-" if ratio is None else f"{round(ratio - 1, 2) + 0.0:+.0%}"
        if in_all in ("too high", "too low"):
            total += f" {in_all}"
        table.add_row(score.replace("_", " "), str(judged_on or "-"), result, total)
    return table


def percent(share: float | None) -> str:
    """Write a share as people read it, such as 13.4 %; a dash where it is not known."""
    return "-" if share is None else f"{100 * share:z.1f} %"
