"""How many clusters? Stability first, then separation, and no cluster too small to be worth a campaign.

The rule, in this order:

1. Every cluster holds at least LEAST_SHARE of the customers.
2. Every cluster is stable: mean Jaccard similarity of at least 0.75. Only if no number of clusters is, 0.60
   will do (doubtful). Below that a cluster dissolves when other customers are drawn: then there are no
   clusters.
3. Two clusters are set aside while there is another choice: they are nearly always the most stable, and say
   no more than that some customers buy and others don't.
4. Of these the most stable: the mean of mean Jaccard similarity, adjusted Rand index and prediction strength
   is within STABILITY_TOLERANCE of the best, which is about the error of the three.
5. If the number in use before is among them, it stays: clusters that come and go by chance are of no use to
   anybody.
6. Otherwise the best separated: the silhouette is at least SEPARATION_TOLERANCE times the best.
7. Of these the one with most clusters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from customer_segmentation.clusters import stability
from customer_segmentation.clusters.partitions import Matrix, Partition, fit_partition

NUMBERS = range(2, 11)
LEAST_SHARE = 0.03
STABILITY_TOLERANCE = 0.05
SEPARATION_TOLERANCE = 0.95
SEED = 20_070_915
STARTS = {"kmeans": 10, "gaussian_mixture": 2}
STARTS_AGAIN = {"kmeans": 3, "gaussian_mixture": 1}


@dataclass(frozen=True)
class Candidate:
    """A partition into k clusters, with what speaks for and against it; jaccard and shares of shape (k,)."""

    partition: Partition
    jaccard: NDArray[np.float64]
    shares: NDArray[np.float64]
    adjusted_rand: float
    prediction_strength: float
    silhouette: float

    @property
    def k(self) -> int:
        """How many clusters it has."""
        return self.partition.k

    @property
    def verdict(self) -> str:
        """The verdict on its least stable cluster."""
        return stability.verdict(float(self.jaccard.min()))

    @property
    def stability(self) -> float:
        """The mean of the three measures of stability."""
        return float(np.mean([self.jaccard.mean(), self.adjusted_rand, self.prediction_strength]))

    def reordered(self, order: NDArray[np.intp]) -> "Candidate":
        """Return the same clusters in another order."""
        return replace(
            self,
            partition=self.partition.reordered(order),
            jaccard=self.jaccard[order],
            shares=self.shares[order],
        )


def candidates(z: Matrix, method: str) -> list[Candidate]:
    """Partition customers into each of NUMBERS clusters and judge each partition.

    z: standardised values, shape (n, p). Numbers that the customers are too few for are left out: a cluster
    needs ten.
    """
    return [judge(z, k, method) for k in NUMBERS if k * 10 <= len(z)]


def judge(z: Matrix, k: int, method: str) -> Candidate:
    """Partition customers into k clusters and say how good that is.

    Equal input gives an equal answer to the last digit: chance is seeded, and one thread makes all sums,
    because several would add in an order of their own. For samples of this size one is also faster.
    """
    random = np.random.default_rng([SEED, k])

    def fit_again(sample: Matrix, number: int) -> Partition:
        return fit_partition(sample, k, method, seed=SEED + 1 + number, starts=STARTS_AGAIN[method])

    with threadpool_limits(limits=1):
        partition = fit_partition(z, k, method, seed=SEED, starts=STARTS[method])
        labels = partition.assign(z)
        jaccard, adjusted_rand = stability.bootstrap(z, partition, fit_again, random)
        return Candidate(
            partition,
            jaccard,
            np.bincount(labels, minlength=k) / len(z),
            adjusted_rand,
            stability.prediction_strength(z, k, fit_again, random),
            stability.silhouette(z, labels, random),
        )


def choose(options: Sequence[Candidate], k_before: int = 0) -> tuple[Candidate | None, dict[int, str]]:
    """Return the candidate that the rule chooses, or none, and for each number of clusters what decided.

    k_before: the number of clusters in use before, 0 without any.
    """
    reasons: dict[int, str] = {}

    def keep(remaining: Sequence[Candidate], test: list[bool], reason: str) -> list[Candidate]:
        reasons.update(
            {option.k: reason for option, passed in zip(remaining, test, strict=True) if not passed}
        )
        return [option for option, passed in zip(remaining, test, strict=True) if passed]

    remaining = keep(
        options,
        [bool(option.shares.min() >= LEAST_SHARE) for option in options],
        f"a cluster with less than {LEAST_SHARE:.0%} of the customers",
    )
    least_stable = [float(option.jaccard.min()) for option in remaining]
    limit = stability.VERDICTS["stable" if max(least_stable, default=0) >= 0.75 else "doubtful"]
    remaining = keep(
        remaining,
        [value >= limit for value in least_stable],
        f"a cluster with a Jaccard similarity below {limit:.2f}",
    )
    if not remaining:
        return None, reasons
    if any(option.k > 2 for option in remaining):
        remaining = keep(
            remaining, [option.k > 2 for option in remaining], "two clusters, and more are stable as well"
        )
    best = max(option.stability for option in remaining)
    remaining = keep(
        remaining,
        [option.stability >= best - STABILITY_TOLERANCE for option in remaining],
        f"less stable than another number by more than {STABILITY_TOLERANCE}",
    )
    for kept in remaining:
        if kept.k == k_before:
            reasons.update({option.k: "the number in use before is about as stable" for option in remaining})
            reasons[kept.k] = "chosen: in use before, and still among the most stable"
            return kept, reasons
    best = max(option.silhouette for option in remaining)
    remaining = keep(
        remaining,
        [option.silhouette >= SEPARATION_TOLERANCE * best for option in remaining],
        f"separates less than {SEPARATION_TOLERANCE:.0%} as well as another number",
    )
    chosen = max(remaining, key=lambda option: option.k)
    reasons.update(
        {option.k: "fewer clusters, about as stable and as well separated" for option in remaining}
    )
    reasons[chosen.k] = "chosen"
    return chosen, reasons
