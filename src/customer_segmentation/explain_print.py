"""An explanation of a customer on the terminal: tables that fit into 100 columns."""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from customer_segmentation.explain import Explanation, Move, Place, Unmet, Values, WayUp
from customer_segmentation.terms import as_text, in_words

MOVES_SHOWN = 24
ORDERS = {"lifetime_orders": "", "orders_12m": " in 12 months"}
CAUSES = {
    "customer": "the customer",
    "definition": "a changed definition",
    "refit": "a new fit",
    "told": "what was told of the customer",
}


def print_explanation(told: Explanation, currency: str, console: Console) -> None:
    """Print who the customer is, every segment and why, the way up, and the moves."""
    summary = f" as of {told.as_of_date}: {_summary(told, currency)}"
    console.print(Text.assemble((told.customer_id, "bold"), summary))
    console.print(_segments(told.places))
    for place in told.places:
        for remark in place.remarks:
            console.print(f"{place.segmentation}: {remark}.")
    _print_ways(told, currency, console)
    _print_moves(told, console)
    for name, reason in told.left_out.items():
        console.print(f"Left out {name} ({reason})")


def _summary(told: Explanation, currency: str) -> str:
    values = told.values
    orders = values["lifetime_orders"] or 0
    if not orders:
        return (
            f"no order yet; on record since {told.known_since}{' or before' if told.is_known_longer else ''}"
        )
    return (
        f"{_count(orders, 'order')} worth {currency} {as_text(values['lifetime_revenue'])}, "
        f"the last one {_ago(values['days_since_last_order'])} ({values['last_order_on']})"
    )


def _segments(places: list[Place]) -> Table:
    table = _table("Segmentation", "Segment", "Why (the customer's own values)")
    table.columns[1].max_width = 24
    for place in places:
        rows = list(zip(place.segments or ["in none"], place.because, strict=True))
        for number, (segment, because) in enumerate(rows):
            table.add_row("" if number else place.segmentation, segment, because)
    return table


def _print_ways(told: Explanation, currency: str, console: Console) -> None:
    ways = [(place, place.way_up) for place in told.places if place.way_up]
    if ways:
        table = _table("Segmentation", "Next better one", "What it takes")
        for place, way in ways:
            for number, line in enumerate(in_plain_words(way, told.values, currency)):
                table.add_row(*(("", "") if number else (place.segmentation, way.segment)), line)
        console.print("\nOn the way up", style="bold")
        console.print(table)
    lacking = [(place.segmentation, place.why_not_better) for place in told.places if place.why_not_better]
    if lacking:
        console.print("\nNot in a better one, because it asks for", style="bold")
        table = _table("Segmentation", "What the next better one asks for (the customer's own value)")
        for segmentation, condition in lacking:
            table.add_row(segmentation, condition)
        console.print(table)
        if told.as_of_date != told.latest:
            console.print(f"What it takes to get there is told for the latest date, {told.latest}.")


def in_plain_words(way: WayUp, values: Values, currency: str) -> list[str]:
    """Say what has to change on the way: the orders if they are enough, and every term."""
    if way.orders and len(way.unmet) > 1:
        verb = "brings" if way.orders == 1 else "bring"
        lines = [f"{_count(way.orders, 'more order')}, which {verb}"]
        lines += [f"- {_brought_by_orders(unmet, values)}" for unmet in way.unmet]
    else:
        lines = [_in_words(unmet, currency) for unmet in way.unmet]
        lines = [f"- {line}" for line in lines] if len(lines) > 1 else lines
    if not way.is_complete:
        lines.append("not sure to be enough: a condition that is no plain comparison has a say")
    return lines


def _brought_by_orders(unmet: Unmet, values: Values) -> str:
    """Say what orders do to a feature, where they alone lead up."""
    now = f"{unmet.term} (now {as_text(unmet.value)})"
    if unmet.metric:
        return f"{now}: {_of_metric(unmet, unmet.metric)}"
    if unmet.feature == "days_between_last_orders" and unmet.comparison == ">=":
        return f"it ends a break of {_count(values['days_since_last_order'], 'day')}: {now}"
    if unmet.feature == "gap_ratio" and unmet.comparison in (">", ">="):
        return f"it ends a break of {as_text(values['overdue_ratio'])} times the expected days: {now}"
    return now


def _in_words(unmet: Unmet, currency: str) -> str:
    if not unmet.comparison:
        return unmet.term
    feature, value, needed = unmet.feature, unmet.value, unmet.needed
    asked = f"{unmet.term} (now {as_text(value)})"
    if unmet.metric:
        more = (unmet.metric_needed or 0) - (unmet.metric_value or 0)
        if unmet.metric == "lifetime_orders":
            return f"{_count(more, 'more order')}: {asked}, {_of_metric(unmet, unmet.metric)}"
        if unmet.metric == "days_since_last_order":
            return f"an order: {asked}, {_of_metric(unmet, unmet.metric)}"
        if not more:  # the cut-off itself is not enough
            return f"{in_words(unmet.metric)} above {currency} {as_text(unmet.metric_needed)}: {asked}"
        return f"over {currency} {as_text(more)} more {in_words(unmet.metric)} ({_of(unmet)}): {asked}"
    if feature in ORDERS and unmet.orders_needed:
        orders = f"{_count(unmet.orders_needed, 'more order')}{ORDERS[feature]}"
        return f"{orders} ({as_text(value)} of {as_text(needed)})"
    if unmet.orders_needed:
        return f"an order: {asked}"
    if feature and feature.startswith("days_since") and needed is not None and needed > (value or 0):
        return f"{_count(needed - (value or 0), 'more day')}: {asked}"
    return asked


def _of_metric(unmet: Unmet, metric: str) -> str:
    if metric == "days_since_last_order":
        longest = f"last order at most {as_text(unmet.metric_needed)} days ago"
        return longest if unmet.metric_value is None else f"{longest} (now {as_text(unmet.metric_value)})"
    return f"{_of(unmet)} {in_words(metric)}"


def _of(unmet: Unmet) -> str:
    return f"{as_text(unmet.metric_value or 0)} of {as_text(unmet.metric_needed)}"


def _print_moves(told: Explanation, console: Console) -> None:
    moves = sorted(told.moves, key=lambda move: move.as_of_date, reverse=True)
    if not moves:
        console.print("\nNo moves on record.")
        return
    console.print("\nMoves, the latest first", style="bold")
    table = _table("Date", "Segmentation", "From", "To", "Because of")
    previous = None
    for move in moves[:MOVES_SHOWN]:
        day = "" if move.as_of_date == previous else str(move.as_of_date)
        table.add_row(day, move.segmentation, *_ends(move), CAUSES[move.cause])
        previous = move.as_of_date
    console.print(table)
    if len(moves) > MOVES_SHOWN:
        console.print(f"and {len(moves) - MOVES_SHOWN} earlier ones: --segmentation NAME shows all of one.")


def _ends(move: Move) -> tuple[str, str]:
    return move.from_segment or "-", move.to_segment or "-"


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _count(number: float, what: str) -> str:
    return f"{number:,.0f} {what}{'' if number == 1 else 's'}"


def _ago(days: int) -> str:
    return "that day" if days == 0 else f"{_count(days, 'day')} before"
