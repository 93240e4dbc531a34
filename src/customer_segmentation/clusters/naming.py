"""Names clusters by what sets them apart from all customers, in words that are true of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from customer_segmentation.clusters.partitions import Labels, Matrix

LANGUAGES = ("en", "ko")
JOINED_BY = " · "  # names stand in lists, which have commas
AVERAGE = {"en": "average", "ko": "평균적 고객"}
MOST_PHRASES = 3
MARKED = 0.5  # of a standard deviation: enough to be named for
TRUE = 0.2  # enough to be said, where it is needed to tell two clusters apart, or was said before

Phrase = tuple[str, str]  # a column, and whether it is high or low


@dataclass(frozen=True)
class Words:
    """What a column is called in a name where it is high and where it is low: {language: words}."""

    high: dict[str, str]
    low: dict[str, str]


def differences(z: Matrix, labels: Labels, k: int) -> Matrix:
    """Return how far each cluster's mean is from that of all customers, in standard deviations, shape (k, p).

    z: standardised values, shape (n, p); labels: 0 to k - 1, shape (n,). No cluster is empty.
    """
    sizes = np.bincount(labels, minlength=k)
    sums = np.stack([np.bincount(labels, weights=column, minlength=k) for column in z.T], axis=1)
    deviation = z.std(axis=0)
    return (sums / sizes[:, None] - z.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)


def choose_phrases(
    difference: Matrix, columns: Sequence[str], before: Sequence[tuple[Phrase, ...] | None]
) -> list[tuple[Phrase, ...]]:
    """Return the phrases of each cluster's name, the most telling first: at most three, no two names alike.

    difference: from `differences`; before: the phrases that a cluster was named by in an earlier fit, or
    None. It keeps them while they are true. Otherwise it is named by what is MARKED, or by other true phrases
    if another cluster has that name. Where nothing is left to tell two clusters apart, both have the same
    phrases.
    """
    ranked = [_true_phrases(row, columns) for row in difference]
    chosen: list[tuple[Phrase, ...] | None] = [None] * len(ranked)
    for number, (phrases, kept) in enumerate(zip(ranked, before, strict=True)):
        if kept is not None and set(kept) <= {phrase for phrase, _ in phrases}:
            chosen[number] = kept
    taken = {frozenset(name) for name in chosen if name is not None}
    for number, phrases in enumerate(ranked):
        if chosen[number] is None:
            options = _names(phrases)
            name = next((name for name in options if frozenset(name) not in taken), options[0])
            chosen[number] = name
            taken.add(frozenset(name))
    return [name or () for name in chosen]


def _true_phrases(row: NDArray[np.float64], columns: Sequence[str]) -> list[tuple[Phrase, float]]:
    order = np.argsort(-np.abs(row), kind="stable")
    return [
        ((columns[i], "high" if row[i] > 0 else "low"), abs(float(row[i])))
        for i in order
        if abs(row[i]) >= TRUE
    ]


def _names(phrases: list[tuple[Phrase, float]]) -> list[tuple[Phrase, ...]]:
    """All names that may be given, the best first."""
    marked = [phrase for phrase, size in phrases if size >= MARKED][:MOST_PHRASES]
    sizes = dict(phrases)
    others = [
        name
        for length in range(MOST_PHRASES, 0, -1)
        for name in combinations([phrase for phrase, _ in phrases], length)
    ]
    others.sort(key=lambda name: -sum(sizes[phrase] for phrase in name))
    return [tuple(marked), *others]


def say(
    names: Sequence[tuple[Phrase, ...]], ids: Sequence[int], words: dict[str, Words], language: str
) -> list[str]:
    """Put names into words, with a capital. Clusters with the same phrases are told apart by their ids."""
    texts = [
        JOINED_BY.join(getattr(words[column], direction)[language] for column, direction in name)
        or AVERAGE[language]
        for name in names
    ]
    texts = [text[0].upper() + text[1:] for text in texts]
    return [
        f"{text} ({number})" if texts.count(text) > 1 else text
        for text, number in zip(texts, ids, strict=True)
    ]
