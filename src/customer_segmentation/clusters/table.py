"""Fits clusters at each fit date and writes all that is known of them into one long table.

One row per parameter: fitted_on, section, k, cluster_id, column_name, metric, value, note. What does not
concern a single cluster has cluster_id 0, what does not concern a column has column_name `(all)`; k is the
number of clusters that the row is about, 0 where there are none.

fit        sample, method, verdict, fidelity, highest_id; or problem: why there are no clusters
scale      of each column is_log, shift, low, high, centre, spread, null_share; or left_out: why
cluster    of each cluster offset, share, jaccard, phrases, name_en, name_ko, differs_by; of each cluster and
           column centre, weight, typical_value (the centre in the column's own unit) and difference (of the
           mean from that of all customers, in standard deviations)
candidate  of each number of clusters tried what speaks for and against it, how many rounds of resampling that
           rests on, and the decision; the silhouette only where it may decide
rule       of each cluster condition, precision, recall
match      of each cluster the distance from the cluster of the same id in the fit before, or new
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_segmentation.clusters import matching, naming, record, rules, scaling, selection, stability
from customer_segmentation.clusters.columns import Column
from customer_segmentation.clusters.partitions import METHODS, Labels, Matrix
from customer_segmentation.clusters.record import ALL, History, PastFit

LEAST_CUSTOMERS = 200
LEAST_COLUMNS = 3


class NoClustersError(ValueError):
    """There are no clusters; the message says why."""


class Place(TypedDict):
    """What a row is about."""

    k: int
    cluster_id: int


@dataclass
class Fit:
    """The rows of one fit date, as they come about."""

    fitted_on: date
    rows: list[tuple[object, ...]] = field(default_factory=list)

    def add(
        self,
        section: str,
        metric: str,
        value: float | None = None,
        note: str | None = None,
        *,
        k: int = 0,
        cluster_id: int = 0,
        column: str = ALL,
    ) -> None:
        """Add a row."""
        self.rows.append((self.fitted_on, section, int(k), int(cluster_id), column, metric, value, note))


@dataclass(frozen=True)
class Clusters:
    """The chosen partition in the order of its ids, of shape (k,), with the customers' labels, of shape (n,).

    difference: of each cluster's mean from that of all customers, in standard deviations, shape (k, p).
    """

    candidate: selection.Candidate
    ids: NDArray[np.intp]
    labels: Labels
    names: list[tuple[naming.Phrase, ...]]
    difference: Matrix


def fit_table(
    sample: pd.DataFrame,
    columns: Sequence[Column],
    method: str,
    previous: pd.DataFrame | None = None,
    fit_dates: Iterable[object] = (),
) -> pd.DataFrame:
    """Fit clusters at each fit date and return the table that the module describes.

    sample: one row per fit date and customer with fitted_on, customer_id and `columns`; the order of rows
    does not matter. method: kmeans or gaussian_mixture. previous: the table of the last build. A date on
    record keeps the ids that it has there; any other takes those of the nearest fit before it, of this run
    or on record. Fits on record from before the first date stay as they are, so that a cluster that was
    published keeps its name. fit_dates: dates that are to have rows without customers too.

    Equal input gives equal output to the last digit.
    """
    if method not in METHODS:
        raise ValueError(f"the method is '{method}', which is none of {METHODS}")
    stored = record.read_past_fits(previous)
    history = History(stored, dict(stored))
    customers = {record.as_date(day): rows for day, rows in sample.groupby("fitted_on")}
    days = sorted({*customers, *map(record.as_date, fit_dates)})
    table: list[tuple[object, ...]] = []
    if previous is not None and stored and days:
        table += record.rows_before(days[0], previous)
    for day in days:
        fit = Fit(day)
        rows = customers.get(day, sample.iloc[:0]).sort_values("customer_id")
        try:
            _fit_date(fit, rows, columns, method, history)
        except NoClustersError as problem:
            fit.add("fit", "problem", note=str(problem))
        table += fit.rows
    return pd.DataFrame(table, columns=list(record.COLUMNS)).astype(record.COLUMNS)


def _fit_date(fit: Fit, rows: pd.DataFrame, columns: Sequence[Column], method: str, history: History) -> None:
    fit.add("fit", "sample", len(rows))
    fit.add("fit", "method", note=method)
    if len(rows) < LEAST_CUSTOMERS:
        raise NoClustersError(f"{len(rows)} buyers; clusters need {LEAST_CUSTOMERS}")
    values = {column.name: rows[column.name].to_numpy(dtype=float, na_value=np.nan) for column in columns}
    scales = _fit_scales(fit, values, columns)
    usable = [column for column in columns if column.name in scales]
    if len(usable) < LEAST_COLUMNS:
        raise NoClustersError(f"{len(usable)} columns tell customers apart; clusters need {LEAST_COLUMNS}")
    z = np.column_stack([scaling.standardise(values[name], scale) for name, scale in scales.items()])

    earlier = history.earlier(fit.fitted_on)
    stored = history.stored.get(fit.fitted_on)
    options = selection.candidates(z, method, {earlier.k, stored.k} if stored else {earlier.k})
    chosen, reasons = selection.choose(options, earlier.k)
    if stored and chosen and chosen.k != stored.k:  # what was published stays, if it passes
        kept, why = selection.choose(options, stored.k)
        if kept and kept.k == stored.k:
            chosen, reasons = kept, why
    _add_candidates(fit, options, reasons)
    if chosen is None:
        raise NoClustersError("no number of clusters is stable: other customers would show other clusters")

    reference = history.reference(fit.fitted_on)
    clusters = _identify(chosen, z, usable, scales, reference, history.highest_id())
    described = rules.describe(
        np.column_stack([values[name] for name in scales]),
        list(scales),
        [float(scaling.in_units(0.0, scale)) for scale in scales.values()],
        clusters.labels,
        chosen.k,
    )
    past = PastFit(
        fit.fitted_on,
        clusters.ids,
        _places(clusters.candidate, scales),
        clusters.names,
        max(earlier.highest_id, stored.highest_id if stored else 0, int(clusters.ids.max())),
    )
    history.add(past)
    fit.add("fit", "verdict", float(chosen.jaccard.min()), chosen.verdict, k=chosen.k)
    fit.add("fit", "fidelity", described.fidelity, k=chosen.k)
    fit.add("fit", "highest_id", past.highest_id, k=chosen.k)
    _add_clusters(fit, clusters, usable, scales)
    _add_rules(fit, clusters, described)
    _add_matches(fit, past, earlier)


def _fit_scales(
    fit: Fit, values: Mapping[str, scaling.Vector], columns: Sequence[Column]
) -> dict[str, scaling.Scale]:
    """Fit and record the scales of the columns that can tell customers apart."""
    scales = {}
    for column in columns:
        try:
            scale = scaling.fit_scale(values[column.name], column.transform)
        except scaling.UnusableColumnError as reason:
            fit.add("scale", "left_out", note=str(reason), column=column.name)
            continue
        scales[column.name] = scale
        for metric in ("is_log", "shift", "low", "high", "centre", "spread", "null_share"):
            fit.add("scale", metric, float(getattr(scale, metric)), column=column.name)
    return scales


def _identify(
    chosen: selection.Candidate,
    z: Matrix,
    columns: Sequence[Column],
    scales: Mapping[str, scaling.Scale],
    reference: PastFit,
    highest_id: int,
) -> Clusters:
    """Give the clusters their ids and names, and put them in the order of their ids."""
    sign = np.array([{"high": 1.0, "low": -1.0, "": 0.0}[column.better] for column in columns])
    chosen = chosen.reordered(np.argsort(-(chosen.partition.centres @ sign), kind="stable"))
    matched = matching.match(matching.distances(_places(chosen, scales), reference.places))
    ids = matching.assign_ids(matched, reference.ids, highest_id)
    order = np.argsort(ids)
    chosen, ids, matched = chosen.reordered(order), ids[order], matched[order]
    labels = chosen.partition.assign(z)
    difference = naming.differences(z, labels, chosen.k)
    before = [reference.phrases[index] if index >= 0 else None for index in matched]
    names = naming.choose_phrases(difference, list(scales), before)
    return Clusters(chosen, ids, labels, names, difference)


def _places(chosen: selection.Candidate, scales: Mapping[str, scaling.Scale]) -> matching.Places:
    middles, spreads = (
        np.array([getattr(scale, name) for scale in scales.values()]) for name in ("centre", "spread")
    )
    return matching.Places(list(scales), chosen.partition.centres, middles, spreads)


def _add_candidates(fit: Fit, options: Sequence[selection.Candidate], reasons: Mapping[int, str]) -> None:
    for option in options:
        diagnostics = {
            "jaccard_mean": option.jaccard.mean(),
            "jaccard_min": option.jaccard.min(),
            "adjusted_rand": option.adjusted_rand,
            "prediction_strength": option.prediction_strength,
            "stability": option.stability,
            "silhouette": option.silhouette,
            "smallest_share": option.shares.min(),
            "rounds": option.rounds,
        }
        for metric, value in diagnostics.items():
            if not np.isnan(value):
                fit.add("candidate", metric, float(value), k=option.k)
        fit.add("candidate", "decision", note=reasons[option.k], k=option.k)


def _add_clusters(
    fit: Fit, clusters: Clusters, columns: Sequence[Column], scales: Mapping[str, scaling.Scale]
) -> None:
    candidate, partition = clusters.candidate, clusters.candidate.partition
    words = {column.name: column.words for column in columns}
    texts = {
        language: naming.say(clusters.names, clusters.ids.tolist(), words, language)
        for language in naming.LANGUAGES
    }
    for i, cluster_id in enumerate(clusters.ids):
        place: Place = {"k": candidate.k, "cluster_id": int(cluster_id)}
        fit.add("cluster", "offset", float(partition.offsets[i]), **place)
        fit.add("cluster", "share", float(candidate.shares[i]), **place)
        jaccard = float(candidate.jaccard[i])
        fit.add("cluster", "jaccard", jaccard, stability.verdict(jaccard), **place)
        fit.add("cluster", "phrases", note=record.write_phrases(clusters.names[i]), **place)
        fit.add("cluster", "differs_by", note=_differs_by(clusters.difference[i], list(scales)), **place)
        for language, text in texts.items():
            fit.add("cluster", f"name_{language}", note=text[i], **place)
        for j, (name, scale) in enumerate(scales.items()):
            centre = float(partition.centres[i, j])
            of_column = {
                "centre": centre,
                "weight": float(partition.weights[i, j]),
                "typical_value": float(scaling.in_units(centre, scale)),
                "difference": float(clusters.difference[i, j]),
            }
            for metric, value in of_column.items():
                fit.add("cluster", metric, value, column=name, **place)


def _differs_by(difference: NDArray[np.float64], columns: Sequence[str]) -> str:
    order = np.argsort(-np.abs(difference), kind="stable")
    return ", ".join(f"{columns[j]} {difference[j]:+.1f}" for j in order if abs(difference[j]) >= naming.TRUE)


def _add_rules(fit: Fit, clusters: Clusters, described: rules.Rules) -> None:
    for i, cluster_id in enumerate(clusters.ids):
        place: Place = {"k": clusters.candidate.k, "cluster_id": int(cluster_id)}
        fit.add("rule", "condition", note=described.conditions[i], **place)
        fit.add("rule", "precision", float(described.precision[i]), **place)
        fit.add("rule", "recall", float(described.recall[i]), **place)


def _add_matches(fit: Fit, past: PastFit, earlier: PastFit) -> None:
    """Record how far each cluster is from that of the same id in the fit before."""
    if not earlier.k:
        return
    distance = matching.distances(past.places, earlier.places)
    for i, cluster_id in enumerate(past.ids.tolist()):
        place: Place = {"k": past.k, "cluster_id": cluster_id}
        if cluster_id in earlier.ids:
            there = int(np.flatnonzero(earlier.ids == cluster_id)[0])
            fit.add("match", "distance", float(distance[i, there]), earlier.fitted_on.isoformat(), **place)
        else:
            fit.add("match", "new", note=earlier.fitted_on.isoformat(), **place)
