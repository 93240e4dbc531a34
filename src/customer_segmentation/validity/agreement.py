"""How far two ways to part customers agree, beyond chance, from their table of counts."""

import numpy as np
from scipy import stats
from sklearn.metrics import mutual_info_score
from sklearn.metrics.cluster import expected_mutual_information

MOST_COUNTED = 100_000


def kappa(table: np.ndarray) -> tuple[float, float, float | None]:
    """Return the share of counts (k, k) on the diagonal, what it is by chance, and kappa (or None).

    Cohen (1960): (observed - expected) / (1 - expected), expected from the margins.
    """
    total = table.sum()
    observed = np.trace(table) / total
    expected = np.dot(table.sum(axis=0), table.sum(axis=1)) / total**2
    if expected >= 1:
        return float(observed), float(expected), None
    return float(observed), float(expected), float((observed - expected) / (1 - expected))


def adjusted_mutual_information(table: np.ndarray) -> float | None:
    """Return the adjusted mutual information of counts (r, c): 0 by chance, 1 for the same partition.

    Vinh, Epps and Bailey (2010, JMLR 11, eq. 24a) with the mean of both entropies, as scikit-learn has it.
    None if either side has a single group. What is expected by chance falls as 1 / customers, to first order:
    that of a large table is taken from a smaller one with the same shares.
    """
    counts = np.asarray(table).astype(np.int64)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(counts.shape, default=0) < 2:
        return None
    entropy = (stats.entropy(counts.sum(axis=1)) + stats.entropy(counts.sum(axis=0))) / 2
    share = min(MOST_COUNTED / counts.sum(), 1)
    small = np.ceil(counts * share).astype(np.int64)
    by_chance = share * expected_mutual_information(small, int(small.sum()))
    if entropy - by_chance <= 1e-12:
        return None
    return float((mutual_info_score(None, None, contingency=counts) - by_chance) / (entropy - by_chance))
