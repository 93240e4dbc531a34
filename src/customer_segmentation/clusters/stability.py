"""Would other customers have shown the same clusters? Four measures, of which 1 is the best.

- Jaccard similarity of each cluster with its likeness in partitions of bootstrap samples (C. Hennig, 2007,
  "Cluster-wise assessment of cluster stability", Computational Statistics & Data Analysis 52).
- Adjusted Rand index between those partitions and this one (L. Hubert, P. Arabie, 1985).
- Prediction strength: whether half of the customers predicts which of the other half belong together (R.
  Tibshirani, G. Walther, 2005, "Cluster validation by prediction strength", JCGS 14).
- Silhouette width (P. Rousseeuw, 1987), which is separation rather than stability.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import silhouette_score

from customer_segmentation.clusters.partitions import Labels, Matrix, Partition

BOOTSTRAPS = 20
SPLITS = 5
MOST_RESAMPLED = 2_000
MOST_COMPARED = 1_000

# lower limits of Hennig's reading of a mean Jaccard similarity
VERDICTS = {"highly stable": 0.85, "stable": 0.75, "doubtful": 0.60, "unstable": 0.0}

Fit = Callable[[Matrix, int], Partition]  # of a sample and a seed


def verdict(jaccard: float) -> str:
    """Return what a mean Jaccard similarity says of a cluster."""
    return next(word for word, limit in VERDICTS.items() if jaccard >= limit)


def contingency(first: Labels, second: Labels, k: int) -> NDArray[np.int64]:
    """Count who is in cluster i of one partition and j of the other, shape (k, k)."""
    return np.bincount(first * k + second, minlength=k * k).reshape(k, k)


def jaccard_similarities(reference: Labels, other: Labels, k: int) -> NDArray[np.float64]:
    """Return for each cluster of the reference the Jaccard similarity with its likeness, shape (k,).

    The similarity of two sets is the size of what they share divided by that of their union; the likeness is
    the cluster of the other partition with the highest one. Both partitions are of the same customers. A
    cluster without customers has 0.
    """
    shared = contingency(reference, other, k)
    union = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0) - shared
    return (shared / np.maximum(union, 1)).max(axis=1)


def adjusted_rand_index(first: Labels, second: Labels, k: int) -> float:
    """Return the adjusted Rand index of two partitions into k clusters (Hubert and Arabie, equation 5).

    In terms of pairs of customers: together in both, in one alone, in neither. They are whole numbers, so
    nothing is rounded before the division.
    """
    counts = contingency(first, second, k)
    customers = len(first)
    both = int((counts**2).sum()) - customers
    first_alone = int((counts.sum(axis=1) ** 2).sum()) - customers - both
    second_alone = int((counts.sum(axis=0) ** 2).sum()) - customers - both
    neither = customers * (customers - 1) - both - first_alone - second_alone
    if first_alone == second_alone == 0:
        return 1.0
    return (
        2.0
        * (both * neither - first_alone * second_alone)
        / ((both + first_alone) * (first_alone + neither) + (both + second_alone) * (second_alone + neither))
    )


def strength(predicted: Labels, found: Labels, k: int) -> float:
    """Return the prediction strength of one split (Tibshirani and Walther, equation 2.1).

    found: clusters of the held-out half by its own partition; predicted: by that of the other half. For each
    cluster found, the share of its pairs that are predicted to be together; the lowest share counts. A
    cluster of one customer has no pairs, so can't be predicted: 0.
    """
    counts = contingency(found, predicted, k).astype(float)
    sizes = counts.sum(axis=1)
    pairs = sizes * (sizes - 1)
    together = (counts * (counts - 1)).sum(axis=1)
    return float(np.where(pairs > 0, together / np.maximum(pairs, 1), 0.0).min())


def bootstrap(
    z: Matrix, partition: Partition, fit: Fit, random: np.random.Generator
) -> tuple[NDArray[np.float64], float]:
    """Return each cluster's mean Jaccard similarity, shape (k,), and the mean adjusted Rand index.

    BOOTSTRAPS samples with replacement, of min(n, MOST_RESAMPLED) customers each, are partitioned anew.
    Similarities are taken over the distinct customers in the sample, as Hennig does; the Rand index over all.
    """
    labels = partition.assign(z)
    similarities = np.empty((BOOTSTRAPS, partition.k))
    agreements = np.empty(BOOTSTRAPS)
    for number in range(BOOTSTRAPS):
        drawn = random.integers(0, len(z), min(len(z), MOST_RESAMPLED))
        again = fit(z[drawn], number).assign(z)
        distinct = np.unique(drawn)
        similarities[number] = jaccard_similarities(labels[distinct], again[distinct], partition.k)
        agreements[number] = adjusted_rand_index(labels, again, partition.k)
    return similarities.mean(axis=0), float(agreements.mean())


def prediction_strength(z: Matrix, k: int, fit: Fit, random: np.random.Generator) -> float:
    """Return the mean prediction strength of SPLITS random splits into halves of at most MOST_RESAMPLED."""
    size = min(len(z) // 2, MOST_RESAMPLED)
    strengths = np.empty(SPLITS)
    for number in range(SPLITS):
        shuffled = random.permutation(len(z))
        training, held_out = z[shuffled[:size]], z[shuffled[size : 2 * size]]
        predicted = fit(training, 2 * number).assign(held_out)
        found = fit(held_out, 2 * number + 1).assign(held_out)
        strengths[number] = strength(predicted, found, k)
    return float(strengths.mean())


def silhouette(z: Matrix, labels: Labels, random: np.random.Generator) -> float:
    """Return the mean silhouette width of at most MOST_COMPARED customers; 0 if all are in one cluster."""
    drawn = random.permutation(len(z))[:MOST_COMPARED]
    if not 1 < len(np.unique(labels[drawn])) < len(drawn):
        return 0.0
    return float(silhouette_score(z[drawn], labels[drawn]))
