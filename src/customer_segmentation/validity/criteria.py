"""The criteria of a good segmentation, judged from counts and sums: one row per segment and criterion.

Kotler's list (measurable, substantial, accessible, differentiable, actionable), with stable and redundant.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from customer_segmentation.validity import thresholds
from customer_segmentation.validity.agreement import adjusted_mutual_information, kappa
from customer_segmentation.validity.effects import Effect, Sums, cramers_v, eta_squared
from customer_segmentation.validity.outcomes import (
    OUTCOMES,
    Side,
    differs,
    is_enough,
    members,
    sized_effect,
    split,
)
from customer_segmentation.validity.thresholds import FAIL, NOT_KNOWN, PASS, WEAK

ALL = "(all)"
TYPES = {
    "segmentation": "string",
    "segment": "string",
    "criterion": "string",
    "measure": "string",
    "as_of_date": "datetime64[us]",
    "customers": "Int64",
    "value": "float64",
    "lower": "float64",
    "upper": "float64",
    "threshold": "float64",
    "verdict": "string",
    "mistake": "string",
    "note": "string",
}
TOO_SMALL = "segment too small"
TOO_MANY = "too many segments"
EVERYONE = "everyone targeted"
NO_DIFFERENT = "two segments no different"
SAME_AGAIN = "says what another says"
NO_WINDOW = "no as-of date lies 90 days before the end of the data"
NAMED = 6  # so many names fit into a note


def judge(
    segments: pd.DataFrame,
    counts: pd.DataFrame,
    inputs: pd.DataFrame,
    moments: pd.DataFrame,
    overlaps: pd.DataFrame,
    transitions: pd.DataFrame,
) -> pd.DataFrame:
    """Return a row per segmentation, segment (or (all)) and criterion, in the columns of TYPES.

    The frames are the models judged_segments, segment_counts, segment_inputs, segment_moments, segment_overlaps and
    segment_transitions. What can't be judged is there with the verdict "not known" and a note that says why.
    """
    rows: list[dict] = []
    overlaps = _both_ways(overlaps)
    for name, own in segments.groupby("segmentation", sort=True):
        in_use = own[own["left_out_because"].isna()].sort_values("position")
        if in_use.empty:
            needs = own["left_out_because"].iloc[0]
            rows.append(
                {"segmentation": name} | _row("measurable", ALL, note=f"can't be told without {needs}")
            )
            continue
        one = _Segmentation(name, in_use, counts, inputs, moments, overlaps, transitions)
        rows.extend({"segmentation": name} | row for row in one.rows())
    frame = pd.DataFrame(rows, columns=list(TYPES), dtype=object)
    return frame.where(frame.notna(), None)


def _row(
    criterion: str,
    segment: str,
    value: float | None = None,
    verdict: str = NOT_KNOWN,
    *,
    measure: str | None = None,
    interval: Effect | None = None,
    **more: object,
) -> dict:
    ends = {} if interval is None else {"lower": interval.lower, "upper": interval.upper}
    return (
        {
            "criterion": criterion,
            "segment": segment,
            "measure": measure,
            "value": None if value is None else float(value),
            "verdict": verdict,
        }
        | ends
        | more
    )


class _Segmentation:
    """One segmentation, with what is counted of it."""

    def __init__(self, name, segments, counts, inputs, moments, overlaps, transitions):
        self.name = name
        self.segments = segments
        self.names = segments["segment"].tolist()
        self.is_overlapping = segments["assignment"].iloc[0] == "all_matches"
        self.all_counts = counts[counts["segmentation"] == name]
        self.counts = self.all_counts[self.all_counts["label"].notna()]
        self.customers = int(self.counts["customers"].sum())
        self.revenue = float(self.counts["revenue_12m"].sum())
        self.inputs = inputs[inputs["segmentation"] == name]
        own = moments[(moments["segmentation"] == name) & (moments["outcome_window"] == 1)]
        self.moments = own.sort_values("label")
        self.overlaps = overlaps[overlaps["segmentation"] == name]
        self.transitions = transitions[transitions["segmentation"].isin([name, ALL])]
        latest = self.all_counts["as_of_date"]
        self.latest = latest.iloc[0] if len(latest) else None

    def rows(self) -> Iterator[dict]:
        now = {"as_of_date": self.latest}
        for criterion in (
            self.measurable,
            self.substantial,
            self.too_many,
            self.reachable,
            self.actionable,
            self.everyone_targeted,
            self.redundant,
        ):
            yield from (now | row for row in criterion())
        judged_on = self.moments["as_of_date"].iloc[0] if len(self.moments) else None
        for criterion in (self.differentiable, self.distinct):
            yield from ({"as_of_date": judged_on} | row for row in criterion())
        yield from self.stable()

    def of(self, segment: str) -> pd.DataFrame:
        return self.counts[members(self.counts, segment)] if len(self.counts) else self.counts

    # what is known today

    def measurable(self) -> Iterator[dict]:
        limits = thresholds.KNOWN
        known = self.all_counts[self.all_counts["known"].notna()]
        customers = int(known["customers"].sum())
        shared = {
            "measure": "share of customers whose place follows from known values",
            "threshold": limits.good,
        }
        if not customers:
            yield _row("measurable", ALL, note="nobody to look at", **shared)
            return
        if not self.is_overlapping:
            share = known.loc[known["known"] == "yes", "customers"].sum() / customers
            yield _row(
                "measurable",
                ALL,
                share,
                limits.verdict(share),
                customers=customers,
                note=self._least_known(),
                **shared,
            )
            return
        for segment in self.names:
            unknown = known["known"].map(lambda names, segment=segment: segment in split(names))
            share = 1 - known.loc[unknown, "customers"].sum() / customers
            verdict = PASS if share >= limits.good else WEAK
            note = None if verdict == PASS else "the others count as not in it: right where empty means never"
            yield _row("measurable", segment, share, verdict, customers=customers, note=note, **shared)

    def _least_known(self) -> str | None:
        incomplete = self.inputs[self.inputs["known"] < self.inputs["customers"]]
        if incomplete.empty:
            return None
        shares = (incomplete["known"] / incomplete["customers"]).set_axis(incomplete["input_column"])
        least = shares.sort_index().sort_values(kind="stable").head(3)
        return "known least: " + ", ".join(f"{column} ({share:.0%})" for column, share in least.items())

    def substantial(self) -> Iterator[dict]:
        for segment in self.segments.itertuples():
            own = self.of(segment.segment)
            customers, least = int(own["customers"].sum()), segment.min_share
            share = customers / self.customers if self.customers else None
            revenue = float(own["revenue_12m"].sum()) / self.revenue if self.revenue > 0 else None
            note, mistake, verdict = None, None, NOT_KNOWN
            if share is not None:
                verdict = PASS if share >= least else FAIL
                if not customers:
                    note = "nobody is in it"
                elif verdict == FAIL and (revenue or 0) >= least:
                    verdict, note = WEAK, f"few, but {revenue:.1%} of the revenue"
                if pd.notna(segment.max_share) and share > segment.max_share:
                    verdict, note = FAIL, f"more than its max_share of {segment.max_share:.0%}"
                elif verdict == FAIL:
                    mistake = TOO_SMALL
            shared = {"customers": customers, "threshold": least}
            yield _row(
                "substantial_customers", segment.segment, share, verdict, measure="share of customers", mistake=mistake,
                note=note, **shared,
            )  # fmt: skip
            verdict = NOT_KNOWN if revenue is None else PASS if revenue >= least else WEAK
            yield _row(
                "substantial_revenue", segment.segment, revenue, verdict,
                measure="share of the revenue of twelve months",
                note="brings next to nothing now" if verdict == WEAK else None, **shared,
            )  # fmt: skip

    def too_many(self) -> Iterator[dict]:
        if self.is_overlapping:
            return
        limits, number = thresholds.SEGMENTS, len(self.names)
        shares = self.counts.groupby("label")["customers"].sum().to_numpy(float)
        note = None
        if shares.sum():
            shares = shares / shares.sum()
            note = (
                f"as evenly filled as {np.exp(-np.sum(shares * np.log(shares))):.1f} segments of equal size"
            )
        verdict = limits.verdict(number)
        yield _row(
            "few_enough", ALL, number, verdict, measure="segments", customers=self.customers, threshold=limits.good,
            mistake=TOO_MANY if verdict == FAIL else None, note=note,
        )  # fmt: skip

    def reachable(self) -> Iterator[dict]:
        limits = thresholds.REACHED
        consents_known = self.counts["is_reachable"].notna().any()
        for segment in self.segments.itertuples():
            own = self.of(segment.segment)
            customers, channel = int(own["customers"].sum()), segment.treatment_channel
            has_consents = isinstance(channel, str) and f"can_{channel}" in own
            column = f"can_{channel}" if has_consents else "is_reachable"
            shared = {"customers": customers, "threshold": limits.good}
            shared["measure"] = (
                f"share that may be contacted by {channel}" if has_consents else "share that may be contacted"
            )
            if not customers or not consents_known:
                note = "consents are no input" if customers else "nobody is in it"
                yield _row("reachable", segment.segment, note=note, **shared)
                continue
            share = float(own[column].sum()) / customers
            verdict, note = limits.verdict(share), None
            if channel == "none":
                verdict, note = PASS, "no contact is meant"
            elif isinstance(channel, str) and not has_consents:
                verdict, note = NOT_KNOWN, f"consents don't tell of {channel}: the share is of any channel"
            yield _row("reachable", segment.segment, share, verdict, note=note, **shared)

    def actionable(self) -> Iterator[dict]:
        needed = ["owner", "treatment_objective", "treatment_channel", "treatment_offer"]
        for _, segment in self.segments.iterrows():
            missing = [key.replace("treatment_", "") for key in needed if not isinstance(segment[key], str)]
            verdict = PASS if not missing else WEAK if missing == ["offer"] else FAIL
            yield _row(
                "actionable", segment["segment"], 1 - len(missing) / len(needed), verdict,
                measure="share of owner, objective, channel and offer that is given",
                customers=int(self.of(segment["segment"])["customers"].sum()), threshold=1.0,
                note=f"no {', no '.join(missing)}" if missing else None,
            )  # fmt: skip
        same = [names for names in self._by_treatment().values() if len(names) > 1]
        treated = sum(len(names) for names in self._by_treatment().values())
        share = len(self._by_treatment()) / treated if treated else None
        verdict = NOT_KNOWN if share is None else PASS if not same else FAIL if share * treated == 1 else WEAK
        note = "no segment has a treatment" if share is None else None
        if same:
            note = "treated alike: " + "; ".join(" and ".join(names) for names in same)
        yield _row(
            "actionable", ALL, share, verdict, measure="share of treatments that differ", customers=self.customers,
            threshold=1.0, note=note,
        )  # fmt: skip

    def _by_treatment(self) -> dict[tuple, list[str]]:
        keys = ["treatment_objective", "treatment_channel", "treatment_offer"]
        treated = self.segments[self.segments["treatment_objective"].notna()]
        return {
            treatment: own["segment"].tolist()
            for treatment, own in treated.groupby(keys, dropna=False, sort=False)
        }

    def everyone_targeted(self) -> Iterator[dict]:
        limits = thresholds.ONE_TREATMENT
        shared = {"customers": self.customers, "threshold": limits.good}
        if not self.customers:
            return
        if self.is_overlapping:
            share = self.counts.loc[self.counts["label"] != "", "customers"].sum() / self.customers
            sizes = {name: self.of(name)["customers"].sum() / self.customers for name in self.names}
            largest = max(sizes, key=sizes.get)
            shared["measure"] = "share of customers who are in an audience"
            note = f"the largest is {largest} ({sizes[largest]:.0%})"
        else:
            treatments = self._by_treatment()
            if not treatments:
                return
            sizes = {
                " and ".join(names): sum(self.of(name)["customers"].sum() for name in names) / self.customers
                for names in treatments.values()
            }
            largest = max(sizes, key=sizes.get)
            share = sizes[largest]
            shared["measure"] = "largest share of customers with one treatment"
            note = f"that of {largest}"
        verdict = limits.verdict(share)
        mistake = EVERYONE if verdict == FAIL else None
        yield _row("selective", ALL, share, verdict, mistake=mistake, note=note, **shared)

    def redundant(self) -> Iterator[dict]:
        yield from self._redundant_audiences() if self.is_overlapping else self._redundant()

    def _redundant(self) -> Iterator[dict]:
        limits, found = thresholds.MUTUAL_INFORMATION, {}
        for other, pairs in self.overlaps.groupby("other_segmentation", sort=True):
            if pairs["is_overlapping"].any():
                continue
            table = pairs.pivot_table(
                index="label", columns="other_label", values="customers", aggfunc="sum", fill_value=0
            )
            information = adjusted_mutual_information(table.to_numpy(float))
            if information is not None:
                found[other] = information
        ordered = sorted(found, key=lambda other: (-found[other], other))
        value = found[ordered[0]] if ordered else None
        verdict = limits.verdict(value)
        note = ", ".join(f"{other} {found[other]:.2f}" for other in ordered)
        yield _row(
            "redundant", ALL, value, verdict, customers=self.customers, threshold=limits.good,
            measure="largest adjusted mutual information with another segmentation",
            mistake=SAME_AGAIN if verdict == FAIL else None, note=note or "no other to compare with",
        )  # fmt: skip

    def _redundant_audiences(self) -> Iterator[dict]:
        limits = thresholds.JACCARD
        others = self._other_segments()
        for segment in self.names:
            own = int(self.of(segment)["customers"].sum())
            best = (None, None)
            for name, (size, shared) in sorted(others.items()):
                both = shared.get(segment, 0)
                if name == f"{self.name}.{segment}" or not both:
                    continue
                jaccard = both / (own + size - both)
                best = max(best, (jaccard, name), key=lambda pair: -1 if pair[0] is None else pair[0])
            verdict = limits.verdict(best[0]) if own else NOT_KNOWN
            yield _row(
                "redundant", segment, best[0], verdict, customers=own, threshold=limits.good,
                measure="largest Jaccard similarity with another segment",
                mistake=SAME_AGAIN if verdict == FAIL else None,
                note=f"with {best[1]}" if best[1] else "nobody is in it" if not own else "no other to compare with",
            )  # fmt: skip

    def _other_segments(self) -> dict[str, tuple[int, dict[str, int]]]:
        """Return {other segment: (its customers here, {own audience: customers in both})}."""
        found: dict[str, tuple[int, dict[str, int]]] = {}
        own = self.counts[["label", "customers"]].assign(other_segmentation=self.name)
        own = own.assign(other_label=own["label"])
        pairs = pd.concat([own, self.overlaps[own.columns]])
        for row in pairs.itertuples():
            for other in split(row.other_label):
                size, shared = found.get(f"{row.other_segmentation}.{other}", (0, {}))
                for segment in split(row.label):
                    shared[segment] = shared.get(segment, 0) + int(row.customers)
                found[f"{row.other_segmentation}.{other}"] = (size + int(row.customers), shared)
        return found

    # what came next

    def differentiable(self) -> Iterator[dict]:
        customers = int(self.moments["customers"].sum())
        buyers = int(self.moments["retained"].sum())
        few = NO_WINDOW if not customers else None
        if few is None and (customers < thresholds.FEWEST_IN_ALL or buyers < thresholds.FEWEST_BUYERS):
            few = f"{customers} customers, {buyers} of whom ordered: too few"
        if not self.is_overlapping:
            yield from self._explained(customers, few)
        limits = thresholds.DIFFERENCE
        for segment in self.names:
            own = members(self.moments, segment) if len(self.moments) else self.moments["label"].isna()
            one, rest = Side(self.moments[own]), Side(self.moments[~own])
            for outcome in OUTCOMES:
                shared = {
                    "customers": one.customers,
                    "threshold": limits.good,
                    "measure": "Cohen's h against all others"
                    if outcome == "retention"
                    else "Cohen's d against all others",
                }
                effect = sized_effect(outcome, one, rest) if is_enough(one, rest) else None
                if effect is None:
                    note = few or f"{one.customers} customers and {rest.customers} others: too few"
                    yield _row(f"differentiable_{outcome}", segment, note=note, **shared)
                    continue
                verdict = limits.verdict(abs(effect.value))
                if effect.lower <= 0 <= effect.upper:
                    verdict = FAIL
                yield _row(
                    f"differentiable_{outcome}", segment, effect.value, verdict, interval=effect, **shared
                )

    def _explained(self, customers: int, few: str | None) -> Iterator[dict]:
        sizes = self.moments["customers"].to_numpy(float)
        for outcome in OUTCOMES:
            is_share = outcome == "retention"
            limits = thresholds.CRAMERS_V if is_share else thresholds.ETA_SQUARED
            shared = {
                "customers": customers,
                "threshold": limits.good,
                "measure": "Cramér's V" if is_share else "eta squared",
            }
            effect = None
            if not few and is_share:
                effect = cramers_v(sizes, self.moments["retained"].to_numpy(float))
            elif not few:
                powers = self.moments[[f"capped_{outcome}_{power}" for power in (1, 2, 3, 4)]]
                effect = eta_squared(Sums(sizes, powers.to_numpy(float)))
            if effect is None:
                note = few or "one segment, or all did the same"
                yield _row(f"differentiable_{outcome}", ALL, note=note, **shared)
                continue
            verdict = limits.verdict(effect.value)
            if verdict == PASS and effect.lower < limits.poor:
                verdict = WEAK
            yield _row(f"differentiable_{outcome}", ALL, effect.value, verdict, interval=effect, **shared)

    def distinct(self) -> Iterator[dict]:
        if self.is_overlapping:
            return
        limits = thresholds.DISTINCT_PAIRS
        sides = {name: Side(self.moments[self.moments["label"] == name]) for name in self.names}
        alike, judged = [], []
        for one, other in combinations(self.names, 2):
            if is_enough(sides[one], sides[other]):
                judged.append((one, other))
                if not differs(sides[one], sides[other]):
                    alike.append((one, other))
        for segment in self.names:
            own = [pair for pair in judged if segment in pair]
            same = [other for pair in alike if segment in pair for other in pair if other != segment]
            shared = {
                "customers": sides[segment].customers,
                "threshold": limits.good,
                "measure": "share of other segments from which it differs",
            }
            if not own:
                note = NO_WINDOW if self.moments.empty else f"{sides[segment].customers} customers: too few"
                yield _row("distinct", segment, note=note, **shared)
                continue
            share = 1 - len(same) / len(own)
            note = f"no different from {_names(same)}" if same else None
            yield _row("distinct", segment, share, limits.verdict(share), note=note, **shared)
        shared = {
            "customers": int(self.moments["customers"].sum()),
            "threshold": limits.good,
            "measure": "share of pairs of segments that differ",
        }
        if not judged:
            note = NO_WINDOW if self.moments.empty else "too few customers"
            yield _row("distinct", ALL, note=note, **shared)
            return
        share = 1 - len(alike) / len(judged)
        yield _row(
            "distinct", ALL, share, limits.verdict(share), mistake=NO_DIFFERENT if alike else None,
            note=f"no different: {_names([f'{one} and {other}' for one, other in alike])}" if alike else None, **shared,
        )  # fmt: skip

    def stable(self) -> Iterator[dict]:
        own = self.transitions[self.transitions["segmentation"] == self.name]
        months = [
            (date, moves, self._at_both_dates(date)) for date, moves in own.groupby("as_of_date", sort=True)
        ]
        if not self.is_overlapping:
            yield self._stability(ALL, [_table(moves, self.names) for _, moves, _ in months], months)
        for segment in self.names:
            tables = [
                _in_or_out(moves, segment, both if self.is_overlapping else None) for _, moves, both in months
            ]
            yield self._stability(segment, tables, months)

    def _at_both_dates(self, date) -> int:
        rows = self.transitions[
            (self.transitions["segmentation"] == ALL) & (self.transitions["as_of_date"] == date)
        ]
        return int(rows.loc[rows["from_segment"].notna() & rows["to_segment"].notna(), "customers"].sum())

    def _stability(self, segment: str, tables: list[np.ndarray], months: list) -> dict:
        limits = thresholds.KAPPA
        shared = {
            "measure": "kappa from month to month",
            "threshold": limits.good,
            "as_of_date": months[-1][0] if months else self.latest,
        }
        found = [kappa(table) for table in tables if table.sum()]
        kappas = [one[2] for one in found if one[2] is not None]
        if len(kappas) < thresholds.FEWEST_MONTHS:
            note = (
                f"{len(kappas)} whole months under today's definition; {thresholds.FEWEST_MONTHS} are needed"
            )
            return _row("stable", segment, note=note, **shared)
        mean = float(np.mean(kappas))
        margin = stats.t.ppf(0.975, len(kappas) - 1) * np.std(kappas, ddof=1) / np.sqrt(len(kappas))
        last = tables[-1]
        if segment == ALL:
            customers = int(last.sum())
            stayed = sum(np.trace(table) for table in tables) / sum(table.sum() for table in tables)
            chance = np.mean([one[1] for one in found])
        else:
            customers = int(last[0].sum())
            before = sum(table[0].sum() for table in tables)
            stayed = sum(table[0, 0] for table in tables) / before if before else 0.0
            chance = sum(table[:, 0].sum() for table in tables) / sum(table.sum() for table in tables)
        return _row(
            "stable", segment, mean, limits.verdict(mean),
            interval=Effect(mean, float(mean - margin), float(min(mean + margin, 1))), customers=customers,
            note=f"{stayed:.0%} stay from month to month, {chance:.0%} would by chance; {len(kappas)} months", **shared,
        )  # fmt: skip


def _table(moves: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Return the counts of who moved from where to where, of shape (k, k), of those who were somewhere twice."""
    known = moves.dropna(subset=["from_segment", "to_segment"])
    order = sorted(set(names) | set(known["from_segment"]) | set(known["to_segment"]))
    place = {name: number for number, name in enumerate(order)}
    table = np.zeros((len(order), len(order)))
    np.add.at(table, (known["from_segment"].map(place), known["to_segment"].map(place)), known["customers"])
    return table


def _in_or_out(moves: pd.DataFrame, segment: str, at_both_dates: int | None) -> np.ndarray:
    """Return counts [[stayed, left], [came, never in]] of a segment; overlapping ones among all customers."""
    if at_both_dates is None:
        moves = moves.dropna(subset=["from_segment", "to_segment"])
        at_both_dates = moves["customers"].sum()
    before, now = moves["from_segment"] == segment, moves["to_segment"] == segment
    stayed, left, came = (
        float(moves.loc[mask, "customers"].sum()) for mask in (before & now, before & ~now, now & ~before)
    )
    return np.array([[stayed, left], [came, max(at_both_dates - stayed - left - came, 0)]])


def _both_ways(overlaps: pd.DataFrame) -> pd.DataFrame:
    turned = overlaps.rename(
        columns={
            "segmentation": "other_segmentation",
            "label": "other_label",
            "other_segmentation": "segmentation",
            "other_label": "label",
        }
    )
    both = pd.concat([overlaps, turned[overlaps.columns]], ignore_index=True)
    with_bars = both["other_label"].str.contains("|", regex=False) | (both["other_label"] == "")
    overlapping = set(both.loc[with_bars, "other_segmentation"])
    return both.assign(is_overlapping=both["other_segmentation"].isin(overlapping))


def _names(names: list[str]) -> str:
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"
