"""Describes clusters by conditions over the columns in their own units: a shallow decision tree as SQL."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from customer_segmentation.clusters.partitions import Labels, Matrix

DEEPEST = 4
MOST_LEAVES = 2**DEEPEST
LEAST_LEAF = 0.01  # of the customers
GOOD_ENOUGH = 0.02  # fidelity that may be lost for rules that are easier to read
MOST_MOVED = 0.005  # of the customers by rounding one threshold

Limits = dict[int, tuple[float, float]]  # {column: (above, up to)}


@dataclass(frozen=True)
class Rules:
    """What a tree says of clusters 0 to k - 1.

    conditions: one for each cluster, '' for one that the tree doesn't find. fidelity: the share of customers
    whom the conditions put where the fit puts them. precision: of those whom a condition names, the share
    that is in the cluster; recall: of those in the cluster, the share that the condition names; both of shape
    (k,).
    """

    conditions: list[str]
    fidelity: float
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]


def describe(
    values: Matrix, columns: Sequence[str], centres: Sequence[float], labels: Labels, k: int
) -> Rules:
    """Describe clusters by rules.

    values: in the columns' own units, shape (n, p), nan where not known; centres: what an unknown value
    counts as, one for each column; labels: shape (n,).

    Of trees at most DEEPEST deep with k to MOST_LEAVES leaves, the smallest whose fidelity is within
    GOOD_ENOUGH of the best and that finds as many clusters. Thresholds are rounded as far as it moves at most
    MOST_MOVED of the customers. Where a column has unknown values the condition says what they count as.
    """
    known, written = values.copy(), list(columns)
    for j in np.flatnonzero(~np.isfinite(values).all(axis=0)).tolist():
        stand_in = _round(float(centres[j]), values[np.isfinite(values[:, j]), j])
        known[~np.isfinite(values[:, j]), j] = stand_in
        written[j] = f"coalesce({columns[j]}, {_number(stand_in)})"
    model = DecisionTreeClassifier(
        max_depth=DEEPEST,
        max_leaf_nodes=MOST_LEAVES,
        min_samples_leaf=max(1, round(LEAST_LEAF * len(known))),
        random_state=0,
    ).fit(known, labels)
    sizes = range(min(k, model.get_n_leaves()), model.get_n_leaves() + 1)
    trees = [_describe(model, known, written, labels, k, leaves) for leaves in sizes]
    found = max(len(list(filter(None, rules.conditions))) for rules in trees)
    complete = [rules for rules in trees if len(list(filter(None, rules.conditions))) == found]
    best = max(rules.fidelity for rules in complete)
    return next(rules for rules in complete if rules.fidelity >= best - GOOD_ENOUGH)


def _describe(
    model: DecisionTreeClassifier,
    known: Matrix,
    written: Sequence[str],
    labels: Labels,
    k: int,
    leaves: int,
) -> Rules:
    predicted = np.empty(len(known), dtype=np.intp)
    alternatives: list[list[Limits]] = [[] for _ in range(k)]
    for cluster, limits, inside in _leaves(model, known, leaves):
        predicted[inside] = cluster
        alternatives[cluster].append(limits)
    hits = np.bincount(labels[predicted == labels], minlength=k)
    return Rules(
        conditions=[
            "\nor ".join(_condition(limits, written) for limits in _merge(of_cluster))
            for of_cluster in alternatives
        ],
        fidelity=float((predicted == labels).mean()),
        precision=hits / np.maximum(np.bincount(predicted, minlength=k), 1),
        recall=hits / np.maximum(np.bincount(labels, minlength=k), 1),
    )


def _leaves(
    model: DecisionTreeClassifier, known: Matrix, leaves: int
) -> list[tuple[int, Limits, NDArray[np.bool_]]]:
    """Return (cluster, limits, who is in it) of each leaf; leaves of one cluster under one branch are one.

    A tree with a limit of leaves grows where it gains most, and numbers its nodes as they come. So its first
    2 n - 1 nodes are the tree of n leaves.
    """
    tree, nodes = model.tree_, 2 * leaves - 1

    def grow(
        node: int, limits: Limits, inside: NDArray[np.bool_]
    ) -> list[tuple[int, Limits, NDArray[np.bool_]]]:
        if not inside.any():  # by rounding
            return []
        if not 0 <= tree.children_left[node] < nodes:
            return [(int(model.classes_[tree.value[node][0].argmax()]), limits, inside)]
        column = int(tree.feature[node])
        threshold = _round(float(tree.threshold[node]), known[:, column])
        above, up_to = limits.get(column, (-np.inf, np.inf))
        is_low = known[:, column] <= threshold
        low = {column: (above, min(up_to, threshold))}
        high = {column: (max(above, threshold), up_to)}
        found = [
            *grow(tree.children_left[node], limits | low, inside & is_low),
            *grow(tree.children_right[node], limits | high, inside & ~is_low),
        ]
        if len({cluster for cluster, _, _ in found}) == 1:
            return [(found[0][0], limits, inside)]
        return found

    return grow(0, {}, np.ones(len(known), dtype=bool))


def _merge(alternatives: list[Limits]) -> list[Limits]:
    """Make one of two alternatives that differ in one column only, where one goes on where the other ends."""
    for first in alternatives:
        for second in alternatives:
            differing = [column for column in first if first[column] != second.get(column)]
            if first.keys() == second.keys() and len(differing) == 1:
                (column,) = differing
                if first[column][1] == second[column][0]:
                    joined = first | {column: (first[column][0], second[column][1])}
                    if joined[column] == (-np.inf, np.inf):
                        del joined[column]
                    others = [limits for limits in alternatives if limits not in (first, second)]
                    return _merge([*others, joined])
    return alternatives


def _condition(limits: Limits, written: Sequence[str]) -> str:
    parts = []
    for column in sorted(limits):
        above, up_to = limits[column]
        if above > -np.inf:
            parts.append(f"{written[column]} > {_number(above)}")
        if up_to < np.inf:
            parts.append(f"{written[column]} <= {_number(up_to)}")
    return " and ".join(parts) or "true"


def _round(threshold: float, values: NDArray[np.float64]) -> float:
    """Return the shortest number that divides values about as the threshold does; whole for whole values."""
    if threshold == 0:
        return 0.0
    is_low = values <= threshold
    rounded = threshold
    for digits in range(1, 7):
        rounded = float(f"{threshold:.{digits - 1}e}")
        if np.mean((values <= rounded) != is_low) <= MOST_MOVED:
            break
    return float(np.floor(rounded)) if np.all(values == np.floor(values)) else rounded


def _number(value: float) -> str:
    text = f"{value:.10f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
