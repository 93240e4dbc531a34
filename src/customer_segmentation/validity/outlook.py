"""What becomes of the segments if customers go on moving as they did: mix, value, and a backtest of both."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from customer_segmentation.validity.markov import distance, present_value, project
from customer_segmentation.validity.ordering import in_order
from customer_segmentation.validity.thresholds import (
    FEWEST_BACKTESTS,
    FEWEST_CUSTOMERS,
    FEWEST_MONTHS,
    MOST_OFF,
    NOT_KNOWN,
    Z_95,
)

AHEAD = (3, 6, 12)
BACKTESTED = (3, 6)
NEGLIGIBLE = 0.005  # of the customers
OUTCOME_MONTHS = 90 / 365 * 12  # of segment_moments
REVENUE_JUDGED = ["markov_revenue_ratio_3m", "markov_revenue_verdict"]
TYPES = {
    "segmentation": "string",
    "segment": "string",
    "customers": "Int64",
    "share_of_customers": "float64",
    "arrivals_per_month": "float64",
    "share_staying": "float64",
    "share_leaving": "float64",
    "revenue_per_month": "float64",
    **{f"expected_customers_{months}m": "float64" for months in AHEAD},
    **{f"expected_share_{months}m": "float64" for months in AHEAD},
    "markov_revenue_12m": "float64",
    "markov_value_12m": "float64",
    "markov_value_horizon": "float64",
    "horizon_months": "Int64",
    "months": "Int64",
    **{f"{kind}_error_{months}m": "float64" for months in BACKTESTED for kind in ("markov", "unchanged")},
    **{f"backtests_{months}m": "Int64" for months in BACKTESTED},
    "markov_revenue_ratio_3m": "float64",
    "markov_revenue_verdict": "string",
    "verdict": "string",
    "note": "string",
}

Row = dict[str, object]  # of TYPES


class Chain:
    """Months of moves between k states, of whom n came with customers from outside and sent some there."""

    def __init__(self, moves: list[pd.DataFrame], states: list[str]):
        """Pool months, each a frame with from_segment, to_segment, customers and revenue."""
        pooled = pd.concat(moves)
        place = {name: number for number, name in enumerate(states)}
        table = np.zeros((len(states), len(states) + 1))
        self.revenue = np.zeros(len(states))
        self.arrivals = np.zeros(len(states))
        for row in pooled.itertuples():
            to = place[row.to_segment] if isinstance(row.to_segment, str) else len(states)
            if isinstance(row.from_segment, str):
                table[place[row.from_segment], to] += row.customers
                self.revenue[place[row.from_segment]] += row.revenue
            else:
                self.arrivals[to] += row.customers
        before = table.sum(axis=1)
        self.is_seen = before > 0
        safe = np.where(self.is_seen, before, 1)[:, None]
        # nobody is known to have left a state that nobody was in
        self.transitions = np.where(self.is_seen[:, None], table[:, :-1] / safe, np.eye(len(states)))
        self.leaving = np.where(self.is_seen, table[:, -1] / safe[:, 0], 0)
        self.revenue = self.revenue / safe[:, 0]
        self.arrivals = self.arrivals / len(moves)


def outlook(
    segments: pd.DataFrame,
    counts: pd.DataFrame,
    transitions: pd.DataFrame,
    moments: pd.DataFrame,
    discount_rate: float,
    horizon_months: int,
) -> pd.DataFrame:
    """Return a row per segment of each segmentation whose segments don't overlap, in the columns of TYPES.

    The frames are the models segment_definitions, segment_counts, segment_transitions and segment_moments;
    discount_rate is per year. Months are pooled as they are, without smoothing. Who appears arrives at the
    mean rate of the months, who is no longer in the segmentation has left for good and brings nothing. Money
    of a month comes in its middle.
    """
    rows: list[Row] = []
    segments, counts, transitions = in_order(segments), in_order(counts), in_order(transitions)
    moments = in_order(moments)
    in_use = segments[segments["left_out_because"].isna() & (segments["assignment"] != "all_matches")]
    for name, own in in_use.groupby("segmentation", sort=True):
        names = own.sort_values("position")["segment"].tolist()
        placed = counts[(counts["segmentation"] == name) & counts["label"].notna()]
        now = placed.groupby("label")["customers"].sum().reindex(names, fill_value=0).to_numpy(float)
        months = _whole_months(transitions[transitions["segmentation"] == name], set(names))
        judged = revenue_judged(names, months, moments[moments["segmentation"] == name])
        for row in _rows(names, now, months, (1 + discount_rate) ** (1 / 12) - 1, horizon_months):
            rows.append({"segmentation": name} | judged[str(row["segment"])] | row)
    frame = pd.DataFrame(rows, columns=list(TYPES), dtype=object)
    return frame.where(frame.notna(), None)


def revenue_judged(names: list[str], months: list[pd.DataFrame], moments: pd.DataFrame) -> dict[str, Row]:
    """Return for each segment what the chain foretold of 90 days as a ratio of what came, and a verdict.

    From each date of segment_moments that has three months before it, with the moves known by then; the
    windows are pooled. What is off by no more than a fifth holds; beyond that it is too high or too low,
    unless customers differ so much that chance could do it, or there are too few of them: not known.
    """
    expected, came, variance, customers = (pd.Series(0.0, index=names) for _ in range(4))
    for day, found in moments.groupby("as_of_date"):
        before = [month for month in months if month["as_of_date"].iloc[0] <= day]
        if len(before) < FEWEST_MONTHS:
            continue
        chain = Chain(before, names)
        of_a_month = present_value(chain.transitions, chain.revenue, 0, 2) / 3
        known = found.set_index("label").reindex(names)
        count, revenue, squares = (
            known[column].astype(float).fillna(0) for column in ("customers", "revenue", "revenue_squared")
        )
        expected += count * of_a_month * OUTCOME_MONTHS
        came += revenue
        variance += (squares - revenue**2 / count.clip(lower=1)).clip(lower=0)
        customers = customers.where(customers > count, count)
    judged: dict[str, Row] = {}
    for name in names:
        off, chance = expected[name] - came[name], Z_95 * np.sqrt(variance[name])
        verdict = NOT_KNOWN
        if customers[name] >= FEWEST_CUSTOMERS:
            if abs(off) <= MOST_OFF * came[name]:
                verdict = "holds"
            elif abs(off) > chance:
                verdict = "too high" if off > 0 else "too low"
        ratio = expected[name] / came[name] if came[name] > 0 else None
        judged[name] = dict(zip(REVENUE_JUDGED, (ratio, verdict), strict=True))
    return judged


def _whole_months(moves: pd.DataFrame, names: set[str]) -> list[pd.DataFrame]:
    """Return the moves of each month, the latest last, back to a gap or to when there were other segments.

    Learned segments may be others after a fit: what was known of those that are gone says nothing of today's.
    """
    run: list[pd.DataFrame] = []
    for _, month in sorted(moves.groupby("as_of_date"), reverse=True):
        is_next = not run or month["as_of_date"].iloc[0] == run[0]["previous_as_of_date"].iloc[0]
        if not is_next or not set(month[["from_segment", "to_segment"]].stack().dropna()) <= names:
            break
        run.insert(0, month)
    return run


def _rows(
    names: list[str], now: np.ndarray, months: list[pd.DataFrame], discount: float, horizon: int
) -> Iterator[Row]:
    known: Row = {"months": len(months), "horizon_months": horizon}
    total = now.sum()
    if len(months) < FEWEST_MONTHS or not total:
        note = f"{len(months)} whole months with today's segments; {FEWEST_MONTHS} are needed"
        for name, customers in zip(names, now, strict=True):
            share = customers / total if total else None
            yield {
                "segment": name,
                "customers": int(customers),
                "share_of_customers": share,
                "verdict": NOT_KNOWN,
                "note": note,
            } | known
        return
    chain = Chain(months, names)
    ahead = {after: project(now, chain.transitions, chain.arrivals, after) for after in AHEAD}
    middle = (1 + discount) ** 0.5
    value_12m = present_value(chain.transitions, chain.revenue, discount, 11) / middle
    value_horizon = present_value(chain.transitions, chain.revenue, discount, horizon - 1) / middle
    revenue_12m = present_value(chain.transitions, chain.revenue, 0, 11)
    known |= _backtest(months, names)
    for number, name in enumerate(names):
        row = {
            "segment": name,
            "customers": int(now[number]),
            "share_of_customers": now[number] / total,
            "arrivals_per_month": chain.arrivals[number],
            "share_staying": chain.transitions[number, number],
            "share_leaving": chain.leaving[number],
            "revenue_per_month": chain.revenue[number],
            "markov_revenue_12m": revenue_12m[number],
            "markov_value_12m": value_12m[number],
            "markov_value_horizon": value_horizon[number],
        }
        if not chain.is_seen[number]:
            row = {
                key: row[key] for key in ("segment", "customers", "share_of_customers", "arrivals_per_month")
            }
            row["note"] = "nobody was in it in these months, so nothing is known of what follows"
        for after, mix in ahead.items():
            row[f"expected_customers_{after}m"] = mix[number]
            row[f"expected_share_{after}m"] = mix[number] / mix.sum()
        yield known | row


def _backtest(months: list[pd.DataFrame], states: list[str]) -> Row:
    """Return how far the projected mix was from what came, and how far the mix of the day was.

    From every month end that has three months before it, with the moves known by then. The error is the
    share of customers who stand elsewhere. The longer of the two horizons with three backtests decides; with
    fewer it is not known which guess is better.
    """
    mixes = [
        month.groupby("to_segment")["customers"].sum().reindex(states, fill_value=0).to_numpy(float)
        for month in months
    ]
    found: Row = {"verdict": NOT_KNOWN}
    most = 0
    for ahead in BACKTESTED:
        origins = [end for end in range(FEWEST_MONTHS - 1, len(months) - ahead) if mixes[end].sum()]
        if not origins:
            continue
        markov, unchanged = [], []
        for end in origins:
            chain = Chain(months[: end + 1], states)
            came = mixes[end + ahead]
            markov.append(distance(project(mixes[end], chain.transitions, chain.arrivals, ahead), came))
            unchanged.append(distance(mixes[end], came))
        error, naive = float(np.mean(markov)), float(np.mean(unchanged))
        gain = naive - error
        found |= {
            f"markov_error_{ahead}m": error,
            f"unchanged_error_{ahead}m": naive,
            f"backtests_{ahead}m": len(origins),
        }
        most = max(most, len(origins))
        if len(origins) >= FEWEST_BACKTESTS:
            found["verdict"] = "better" if gain > NEGLIGIBLE else "worse" if gain < -NEGLIGIBLE else "equal"
    if found["verdict"] == NOT_KNOWN:
        found["note"] = f"months to look back from: {most}; {FEWEST_BACKTESTS} are needed"
    return found
