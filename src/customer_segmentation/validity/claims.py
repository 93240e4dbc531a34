"""Claims of definitions, put to the test: what came, who was compared, and whether it holds."""

from collections.abc import Hashable
from typing import Any

import pandas as pd

from customer_segmentation.validity.effects import Effect, welch
from customer_segmentation.validity.next_period import NO_WINDOW
from customer_segmentation.validity.ordering import in_order
from customer_segmentation.validity.outcomes import Side, is_enough, members, size_of
from customer_segmentation.validity.thresholds import DIFFERENCE

SUPPORTED, REFUTED, NOT_SHOWN, TOO_FEW = "supported", "refuted", "not shown", "too few"
POPULATION = "population"
TYPES = {
    "segmentation": "string",
    "segment": "string",
    "metric": "string",
    "versus": "string",
    "direction": "string",
    "as_of_date": "datetime64[us]",
    "customers": "Int64",
    "other_customers": "Int64",
    "mean": "float64",
    "other_mean": "float64",
    "difference": "float64",
    "lower": "float64",
    "upper": "float64",
    "ratio": "float64",
    "effect_size": "float64",
    "windows": "Int64",
    "windows_in_direction": "Int64",
    "verdict": "string",
    "note": "string",
}

Claim = dict[Hashable, Any]  # a row of segment_claims
Row = dict[str, object]  # of TYPES


def put_to_test(claims: pd.DataFrame, moments: pd.DataFrame) -> pd.DataFrame:
    """Return a row per claim (segment_claims), tested on segment_moments, in the columns of TYPES.

    The latest outcome window decides; earlier ones, which share no day with it, say in how many of them the
    difference had the claimed sign. A claim is supported if the 95 % Welch interval of the difference lies
    on its side of 0, also with the largest customers cut to the cap, and the difference is not too small to
    matter (Cohen's d or h of 0.2). It is refuted if the same holds on the other side, and else not shown.
    """
    moments = in_order(moments)
    rows = [_test(claim, moments) | claim for claim in in_order(claims).to_dict("records")]
    frame = pd.DataFrame(rows, columns=list(TYPES), dtype=object)
    return frame.where(frame.notna(), None)


def _test(claim: Claim, moments: pd.DataFrame) -> Row:
    own = moments[moments["segmentation"] == claim["segmentation"]]
    left_out = claim["left_out_because"]
    if isinstance(left_out, str):
        return {"verdict": TOO_FEW, "windows": 0, "note": f"can't be told without {left_out}"}
    if own.empty:
        return {"verdict": TOO_FEW, "windows": 0, "note": NO_WINDOW}
    sign = 1 if claim["direction"] == "higher" else -1
    outcome = claim["metric"].split("_")[0]
    windows, in_direction = 0, 0
    latest: Row = {}
    for _, rows in own.groupby("outcome_window", sort=True):
        sides = _sides(claim, rows)
        if not latest:
            latest = _compare(outcome, sign, rows["as_of_date"].iloc[0], *sides)
        if is_enough(*sides):
            windows += 1
            one, other = (side.plain(outcome).means[0] for side in sides)
            in_direction += int(sign * (one - other) > 0)
    return latest | {"windows": windows, "windows_in_direction": in_direction}


def _sides(claim: Claim, rows: pd.DataFrame) -> tuple[Side, Side]:
    within = members(rows, claim["segment"])
    others = ~within if claim["versus"] == POPULATION else members(rows, claim["versus"]) & ~within
    return Side(rows[within]), Side(rows[others])


def _compare(outcome: str, sign: int, as_of_date: object, one: Side, other: Side) -> Row:
    row: Row = {"as_of_date": as_of_date, "customers": one.customers, "other_customers": other.customers}
    if one.customers and other.customers:
        mean, other_mean = (float(side.plain(outcome).means[0]) for side in (one, other))
        row |= {"mean": mean, "other_mean": other_mean, "difference": mean - other_mean}
        row["ratio"] = mean / other_mean if other_mean > 0 else None
    if not is_enough(one, other):
        return row | {"verdict": TOO_FEW, "note": "30 customers on each side are needed, and 10 who ordered"}
    interval, capped = (
        welch(getattr(one, kind)(outcome), getattr(other, kind)(outcome)) for kind in ("plain", "capped")
    )
    if interval is None or capped is None:
        return row | {"verdict": NOT_SHOWN, "note": "all did the same"}
    size = size_of(outcome, one, other)
    row |= {"lower": interval.lower, "upper": interval.upper, "effect_size": size}
    came, capped_came = _side_of_0(interval), _side_of_0(capped)
    if not came:
        return row | {"verdict": NOT_SHOWN, "note": "may be chance"}
    if came != capped_came:
        return row | {"verdict": NOT_SHOWN, "note": "rests on a few very large customers"}
    if came * size < DIFFERENCE.poor:
        way = "in this direction" if came == sign else "the other way round"
        return row | {"verdict": NOT_SHOWN, "note": f"{way}, but too little to matter ({size:+.2f})"}
    if came != sign:
        return row | {"verdict": REFUTED, "note": "it is the other way round"}
    return row | {"verdict": SUPPORTED}


def _side_of_0(interval: Effect) -> int:
    """Return 1 or -1 if the whole interval lies above or below 0, and 0 if it holds 0."""
    return int(interval.lower > 0) - int(interval.upper < 0)
