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

Resampling is what costs time, so a number gets rounds of it only while it may be chosen yet. That is a race
(O. Maron, A. Moore, 1997, "The racing algorithm: model selection for lazy learners", Artificial Intelligence
Review 11).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from threadpoolctl import threadpool_limits

from customer_segmentation.clusters import stability
from customer_segmentation.clusters.partitions import Matrix, Partition, fit_partition

NUMBERS = range(2, 9)
LEAST_SHARE = 0.03
STABILITY_TOLERANCE = 0.05
SEPARATION_TOLERANCE = 0.95
SEED = 20_070_915
STARTS = {"kmeans": 10, "gaussian_mixture": 2}
STARTS_AGAIN = {"kmeans": 3, "gaussian_mixture": 1}
ENOUGH_ROUNDS = 5  # for a number without a rival and without a doubt
MOST_ROUNDS = 10
SURE = 1.645  # standard errors: 95 % on one side


@dataclass(frozen=True)
class Candidate:
    """A partition into k clusters, with what speaks for and against it; jaccard and shares of shape (k,).

    silhouette: nan where it decides nothing. rounds: of resampling. error and jaccard_error: the standard
    errors of stability and of the least Jaccard similarity.
    """

    partition: Partition
    jaccard: NDArray[np.float64]
    shares: NDArray[np.float64]
    adjusted_rand: float
    prediction_strength: float
    silhouette: float = np.nan
    rounds: int = MOST_ROUNDS
    error: float = 0.0
    jaccard_error: float = 0.0

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


class _Trial:
    """A partition into k clusters, and its resampling as far as it has come."""

    def __init__(self, z: Matrix, k: int, method: str):
        """Partition customers z, shape (n, p), and draw the first round."""

        def fit_again(sample: Matrix, number: int) -> Partition:
            return fit_partition(sample, k, method, seed=SEED + 1 + number, starts=STARTS_AGAIN[method])

        self.z = z
        self.random = np.random.default_rng([SEED, k])
        self.partition = fit_partition(z, k, method, seed=SEED, starts=STARTS[method])
        self.labels = self.partition.assign(z)
        self.resampling = stability.Resampling(z, self.partition, fit_again, self.random)
        self.resampling.another_round()

    def judged(self) -> Candidate:
        """Return what is known so far."""
        known = self.resampling
        return Candidate(
            self.partition,
            known.jaccard,
            np.bincount(self.labels, minlength=self.partition.k) / len(self.z),
            known.adjusted_rand,
            known.prediction_strength,
            rounds=known.rounds,
            error=known.error,
            jaccard_error=known.jaccard_error,
        )

    def silhouette(self) -> float:
        """Return the silhouette of the partition."""
        return stability.silhouette(self.z, self.labels, self.random)


def candidates(z: Matrix, method: str, in_use: Iterable[int] = ()) -> list[Candidate]:
    """Partition customers into each of NUMBERS clusters and judge each partition as far as the choice asks.

    z: standardised values, shape (n, p). Numbers that the customers are too few for are left out: a cluster
    needs ten. in_use: numbers that `choose` is to be asked with. Numbers that it may choose have MOST_ROUNDS
    rounds of resampling, or ENOUGH_ROUNDS where there is one alone and surely stable; the others have as many
    as it takes to rule them out. Silhouettes are there where they may decide.

    Equal input gives an equal answer to the last digit: chance is seeded, and one thread makes all sums,
    because several would add in an order of their own. For samples of this size one is also faster.
    """
    with threadpool_limits(limits=1), config_context(assume_finite=True, skip_parameter_validation=True):
        trials = {k: _Trial(z, k, method) for k in NUMBERS if k * 10 <= len(z)}
        options = {k: trial.judged() for k, trial in trials.items()}
        numbers = set(in_use) or {0}
        while short := _short_of_rounds(list(options.values()), numbers):
            for k in sorted(short):
                trials[k].resampling.another_round()
                options[k] = trials[k].judged()
        remaining, _ = _stable(list(options.values()))
        for option in remaining:
            options[option.k] = replace(option, silhouette=trials[option.k].silhouette())
    return list(options.values())


def _short_of_rounds(options: Sequence[Candidate], in_use: set[int]) -> set[int]:
    """Return the numbers of clusters that another round should be asked of."""
    of_number = {option.k: option for option in options}
    short: set[int] = set()
    for before in in_use:
        rivals = [of_number[k] for k in undecided(options, before)]
        is_clear = len(rivals) == 1 and _has_clear_verdict(rivals[0])
        wanted = ENOUGH_ROUNDS if is_clear else MOST_ROUNDS
        short |= {rival.k for rival in rivals if rival.rounds < wanted}
    return short


def _has_clear_verdict(option: Candidate) -> bool:
    """Whether more rounds would hardly change the verdict on the least stable cluster."""
    least, margin = option.jaccard.min(), SURE * option.jaccard_error
    return stability.verdict(least - margin) == stability.verdict(least + margin)


def undecided(options: Sequence[Candidate], k_before: int) -> set[int]:
    """Return the numbers of clusters that `choose` takes, or may take after more rounds, given k_before.

    A number is out if it breaks a rule by more than SURE standard errors. While the number in use before is
    among the most stable, others matter only if they may show that it is not.
    """
    remaining, _ = _stable(options)
    large = [option for option in options if option.shares.min() >= LEAST_SHARE]
    limit = _jaccard_limit(large)
    may_pass = [option for option in large if option.jaccard.min() + SURE * option.jaccard_error >= limit]
    if not remaining:
        return {option.k for option in may_pass}
    more_than_two = any(option.k > 2 for option in remaining)
    leader, least = max(remaining, key=lambda option: option.stability), -STABILITY_TOLERANCE
    for option in remaining:
        if option.k == k_before:
            leader, least = option, STABILITY_TOLERANCE
    return {leader.k} | {
        option.k
        for option in may_pass
        if (option.k > 2 or not more_than_two)
        and option.stability + SURE * np.hypot(option.error, leader.error) >= leader.stability + least
    }


def choose(options: Sequence[Candidate], k_before: int = 0) -> tuple[Candidate | None, dict[int, str]]:
    """Return the candidate that the rule chooses, or none, and for each number of clusters what decided.

    k_before: the number of clusters in use before, 0 without any.
    """
    remaining, reasons = _stable(options)
    if not remaining:
        return None, reasons
    for kept in remaining:
        if kept.k == k_before:
            reasons |= {option.k: "the number in use before is about as stable" for option in remaining}
            reasons[kept.k] = "chosen: in use before, and still among the most stable"
            return kept, reasons
    best = max(option.silhouette for option in remaining)
    remaining = _keep(
        remaining,
        [option.silhouette >= SEPARATION_TOLERANCE * best for option in remaining],
        f"separates less than {100 * SEPARATION_TOLERANCE:.0f} % as well as another number",
        reasons,
    )
    chosen = max(remaining, key=lambda option: option.k)
    reasons |= {option.k: "fewer clusters, about as stable and as well separated" for option in remaining}
    reasons[chosen.k] = "chosen"
    return chosen, reasons


def _stable(options: Sequence[Candidate]) -> tuple[list[Candidate], dict[int, str]]:
    """Return what the first four rules leave of candidates, and the rule that each of the others broke."""
    reasons: dict[int, str] = {}
    remaining = _keep(
        options,
        [bool(option.shares.min() >= LEAST_SHARE) for option in options],
        f"a cluster with less than {100 * LEAST_SHARE:.0f} % of the customers",
        reasons,
    )
    limit = _jaccard_limit(remaining)
    remaining = _keep(
        remaining,
        [bool(option.jaccard.min() >= limit) for option in remaining],
        f"a cluster with a Jaccard similarity below {limit:.2f}",
        reasons,
    )
    if any(option.k > 2 for option in remaining):
        remaining = _keep(
            remaining,
            [option.k > 2 for option in remaining],
            "two clusters, and more are stable as well",
            reasons,
        )
    best = max((option.stability for option in remaining), default=0.0)
    remaining = _keep(
        remaining,
        [option.stability >= best - STABILITY_TOLERANCE for option in remaining],
        f"less stable than another number by more than {STABILITY_TOLERANCE}",
        reasons,
    )
    return remaining, reasons


def _jaccard_limit(options: Sequence[Candidate]) -> float:
    """Return the similarity that the least stable cluster must have, given candidates without small ones."""
    most = max((float(option.jaccard.min()) for option in options), default=0.0)
    return stability.VERDICTS["stable" if most >= stability.VERDICTS["stable"] else "doubtful"]


def _keep(
    options: Sequence[Candidate], passed: Sequence[bool], reason: str, reasons: dict[int, str]
) -> list[Candidate]:
    """Return the candidates that passed, and write down the reason of the others."""
    reasons |= {option.k: reason for option, has in zip(options, passed, strict=True) if not has}
    return [option for option, has in zip(options, passed, strict=True) if has]
