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
BOOTSTRAPS_OF_A_ROUND = 2
MOST_RESAMPLED = 2_000
MOST_COMPARED = 1_000

# Usual standard deviations, about those on the three inputs: of what a bootstrap sample and a split add to
# stability, and of a cluster's Jaccard similarity in a sample. They count as much as PRIOR_SAMPLES samples.
OF_A_SAMPLE, OF_A_SPLIT, OF_A_CLUSTER = 0.07, 0.04, 0.16
PRIOR_SAMPLES = 4

# lower limits of Hennig's reading of a mean Jaccard similarity
VERDICTS = {"highly stable": 0.85, "stable": 0.75, "doubtful": 0.60, "unstable": 0.0}

Fit = Callable[[Matrix, int], Partition]  # of a sample and a seed


def verdict(jaccard: float) -> str:
    """Return what a mean Jaccard similarity says of a cluster."""
    return next((word for word, limit in VERDICTS.items() if jaccard >= limit), "unstable")


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
    """Return the adjusted Rand index of two partitions of at least two customers into k clusters.

    The share of pairs together in both, less what chance has in common (Hubert and Arabie, equation 5). From
    counts: scikit-learn's takes labels, and 60 times as long.
    """
    counts = contingency(first, second, k)
    both, here, there = (
        float((sizes * (sizes - 1)).sum()) for sizes in (counts, counts.sum(axis=1), counts.sum(axis=0))
    )
    by_chance, most = here * there / (len(first) * (len(first) - 1)), (here + there) / 2
    return 1.0 if most == by_chance else (both - by_chance) / (most - by_chance)


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


class Resampling:
    """What partitions of other customers say of a partition, a round at a time.

    A round partitions BOOTSTRAPS_OF_A_ROUND samples with replacement, of min(n, MOST_RESAMPLED) customers
    each, and both halves of a split, of at most MOST_RESAMPLED each, until there were BOOTSTRAPS and SPLITS.
    Similarities are taken over the distinct customers in a sample, as Hennig does; the Rand index over all.
    """

    def __init__(self, z: Matrix, partition: Partition, fit: Fit, random: np.random.Generator):
        """Draw the customers, of z with shape (n, p); `fit` partitions them."""
        self._z, self._partition, self._fit = z, partition, fit
        self._labels = partition.assign(z)
        size = min(len(z), MOST_RESAMPLED)
        self._samples = [random.integers(0, len(z), size) for _ in range(BOOTSTRAPS)]
        self._splits = [random.permutation(len(z)) for _ in range(SPLITS)]
        self._jaccard: list[NDArray[np.float64]] = []
        self._adjusted_rand: list[float] = []
        self._strength: list[float] = []
        self.rounds = 0

    def another_round(self) -> None:
        """Partition customers who were not looked at yet."""
        first = BOOTSTRAPS_OF_A_ROUND * self.rounds
        for number in range(first, min(first + BOOTSTRAPS_OF_A_ROUND, BOOTSTRAPS)):
            self._bootstrap(number)
        if self.rounds < SPLITS:
            self._split(self.rounds)
        self.rounds += 1

    def _bootstrap(self, number: int) -> None:
        drawn, k = self._samples[number], self._partition.k
        again = self._fit(self._z[drawn], number).assign(self._z)
        distinct = np.unique(drawn)
        self._jaccard.append(jaccard_similarities(self._labels[distinct], again[distinct], k))
        self._adjusted_rand.append(adjusted_rand_index(self._labels, again, k))

    def _split(self, number: int) -> None:
        size = min(len(self._z) // 2, MOST_RESAMPLED)
        order = self._splits[number]
        training, held_out = self._z[order[:size]], self._z[order[size : 2 * size]]
        predicted = self._fit(training, 2 * number).assign(held_out)
        found = self._fit(held_out, 2 * number + 1).assign(held_out)
        self._strength.append(strength(predicted, found, self._partition.k))

    @property
    def jaccard(self) -> NDArray[np.float64]:
        """Each cluster's mean Jaccard similarity with its likeness, shape (k,)."""
        return np.mean(self._jaccard, axis=0)

    @property
    def adjusted_rand(self) -> float:
        """The mean adjusted Rand index."""
        return float(np.mean(self._adjusted_rand))

    @property
    def prediction_strength(self) -> float:
        """The mean prediction strength."""
        return float(np.mean(self._strength))

    @property
    def error(self) -> float:
        """The standard error of stability, which is the mean of the three measures."""
        of_samples = (np.mean(self._jaccard, axis=1) + self._adjusted_rand) / 3
        of_splits = np.array(self._strength) / 3
        return float(np.hypot(_error(of_samples, OF_A_SAMPLE), _error(of_splits, OF_A_SPLIT)))

    @property
    def jaccard_error(self) -> float:
        """The standard error of the mean Jaccard similarity of the least stable cluster."""
        return _error(np.array(self._jaccard)[:, self.jaccard.argmin()], OF_A_CLUSTER)


def _error(seen: NDArray[np.float64], usual: float) -> float:
    """Return the standard error of a mean of values, shape (n,).

    A few values say little of their variance, so it is averaged with that of a usual deviation (a moderated
    variance; G. Smyth, 2004, "Linear models and empirical Bayes methods", SAGMB 3).
    """
    squares = PRIOR_SAMPLES * usual**2 + float(((seen - seen.mean()) ** 2).sum())
    return float(np.sqrt(squares / (PRIOR_SAMPLES + len(seen) - 1) / len(seen)))


def silhouette(z: Matrix, labels: Labels, random: np.random.Generator) -> float:
    """Return the mean silhouette width of at most MOST_COMPARED customers; 0 if all are in one cluster."""
    drawn = random.permutation(len(z))[:MOST_COMPARED]
    if not 1 < len(np.unique(labels[drawn])) < len(drawn):
        return 0.0
    return float(silhouette_score(z[drawn], labels[drawn]))
