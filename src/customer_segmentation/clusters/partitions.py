"""Partitions of standardised customers: k-means and Gaussian mixtures, both applied by one formula.

Customer i belongs to the cluster j with the lowest

    score_ij = offset_j + sum over columns c of weight_jc (z_ic - centre_jc)²

and, where two are equal, to the first of them. For k-means all offsets are 0 and all weights 1. For a mixture
with diagonal covariances the score is minus twice the logarithm of the mixing weight times the normal
density, so weight = 1 / variance and offset = sum of ln(2π variance) - 2 ln(mixing weight): the lowest score
is the highest posterior probability.
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

METHODS = ("kmeans", "gaussian_mixture")
# added to the variances of a mixture: a column in which a whole cluster has one value has no variance there
LEAST_VARIANCE = 0.01

Matrix = NDArray[np.float64]
Labels = NDArray[np.intp]


@dataclass(frozen=True)
class Partition:
    """Clusters as parameters: `centres` and `weights` of shape (k, p), `offsets` of shape (k,)."""

    centres: Matrix
    weights: Matrix
    offsets: Matrix

    @property
    def k(self) -> int:
        """How many clusters there are."""
        return len(self.offsets)

    def scores(self, z: Matrix) -> Matrix:
        """Return the score of each of n customers for each cluster, shape (n, k)."""
        scores = np.empty((len(z), self.k))
        for j in range(self.k):
            scores[:, j] = self.offsets[j] + ((z - self.centres[j]) ** 2) @ self.weights[j]
        return scores

    def assign(self, z: Matrix) -> Labels:
        """Return the cluster of each customer, 0 to k - 1, shape (n,)."""
        return self.scores(z).argmin(axis=1)

    def reordered(self, order: Labels) -> "Partition":
        """Return the same clusters in another order."""
        return replace(
            self, centres=self.centres[order], weights=self.weights[order], offsets=self.offsets[order]
        )


def fit_partition(z: Matrix, k: int, method: str, *, seed: int, starts: int) -> Partition:
    """Partition customers into k clusters.

    z: standardised values, shape (n, p), n >= k. The best of `starts` starts (k-means++) is kept; a mixture
    starts from k-means. Fewer distinct customers than clusters leave clusters empty, which shows in their
    stability.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        if method == "kmeans":
            model = KMeans(k, n_init=starts, random_state=seed, algorithm="lloyd").fit(z)
            return from_kmeans(model)
        model = GaussianMixture(
            k,
            covariance_type="diag",
            n_init=starts,
            random_state=seed,
            reg_covar=LEAST_VARIANCE,
            max_iter=200,
        ).fit(z)
        return from_mixture(model)


def from_kmeans(model: KMeans) -> Partition:
    """Return a fitted k-means as a partition."""
    centres = np.asarray(model.cluster_centers_, dtype=float)
    return Partition(centres, np.ones_like(centres), np.zeros(len(centres)))


def from_mixture(model: GaussianMixture) -> Partition:
    """Return a fitted mixture with diagonal covariances as a partition."""
    variances = np.asarray(model.covariances_, dtype=float)
    offsets = np.log(2 * np.pi * variances).sum(axis=1) - 2 * np.log(model.weights_)
    return Partition(np.asarray(model.means_, dtype=float), 1.0 / variances, offsets)
