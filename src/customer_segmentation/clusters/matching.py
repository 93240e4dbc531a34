"""Finds the clusters of one fit again in the next one, so that an id keeps its meaning.

Clusters are compared by their standardised centres: where they stand among the customers of their own time,
in spreads. A cluster of customers who buy more than others stays that, also when all customers buy more than
a year ago. The distance is the root mean square over the columns that both fits have, so that it doesn't grow
with their number.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from customer_segmentation.clusters.partitions import Matrix

# Measured: refits with as many clusters move them by up to 0.27, one that splits moves by 0.37 and more,
# and the clusters of one fit are 0.8 and more apart.
SAME_CLUSTER = 0.35
FORBIDDEN = 1e6


def distances(
    centres: Matrix, columns: Sequence[str], others: Matrix, other_columns: Sequence[str]
) -> Matrix:
    """Return the distances of clusters, shape (k, p), from those of another fit, (l, q); shape (k, l).

    Fits that share less than half of their columns can't be compared: all distances are infinite.
    """
    shared = [column for column in columns if column in other_columns]
    if 2 * len(shared) < len({*columns, *other_columns}):
        return np.full((len(centres), len(others)), np.inf)
    here = centres[:, [list(columns).index(column) for column in shared]]
    there = others[:, [list(other_columns).index(column) for column in shared]]
    return np.sqrt(((here[:, None, :] - there[None, :, :]) ** 2).mean(axis=2))


def match(distance: Matrix) -> NDArray[np.intp]:
    """Return for each cluster the one of the other fit that it is, shape (k,); -1 for a new one.

    distance: shape (k, l). Among all one-to-one assignments of clusters no further apart than SAME_CLUSTER,
    the one with most pairs and of these with the least sum of distances (Hungarian method; H. W. Kuhn, 1955).
    """
    allowed = distance <= SAME_CLUSTER
    found = np.full(len(distance), -1, dtype=np.intp)
    rows, columns = linear_sum_assignment(np.where(allowed, distance, FORBIDDEN))
    kept = allowed[rows, columns]
    found[rows[kept]] = columns[kept]
    return found


def assign_ids(matched: NDArray[np.intp], ids: NDArray[np.intp], highest_id: int) -> NDArray[np.intp]:
    """Return the id of each cluster, shape (k,): that of its match, or a new one above all that ever were.

    matched: from `match`; ids: of the other fit's clusters; highest_id: the highest id that was ever given.
    """
    given = np.where(matched >= 0, ids[matched], 0) if len(ids) else np.zeros(len(matched), dtype=np.intp)
    is_new = matched < 0
    given[is_new] = highest_id + 1 + np.arange(is_new.sum())
    return given
