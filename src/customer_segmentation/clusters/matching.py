"""Finds the clusters of one fit again in the next one, so that an id keeps its meaning.

A cluster is the same if its centre stands where it stood, in one of two ways: among the customers of its time
(the standardised centres), or in the units of the columns (measured in spreads of the other fit). Customers
who buy more than others are the same cluster when all buy more than a year ago; and they are when many others
have come, next to whom they buy less. The distance is the root mean square over the columns that both fits
have, so that it doesn't grow with their number; of the two ways, the nearer one counts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from customer_segmentation.clusters.partitions import Matrix

# Measured: refits with as many clusters move them by up to 0.27, one that splits moves by 0.37 and more,
# and the clusters of one fit are 0.8 and more apart.
SAME_CLUSTER = 0.35
FORBIDDEN = 1e6


@dataclass(frozen=True)
class Places:
    """Where the k clusters of a fit stand in p columns.

    centres: standardised, shape (k, p); middles and spreads: of the columns' scales, in their transformed
    units, shape (p,).
    """

    columns: list[str]
    centres: Matrix
    middles: NDArray[np.float64]
    spreads: NDArray[np.float64]


def distances(here: Places, there: Places) -> Matrix:
    """Return the distance of each cluster of one fit from each of another one, shape (k, l).

    Fits that share less than half of their columns can't be compared: all distances are infinite.
    """
    shared = [column for column in here.columns if column in there.columns]
    if 2 * len(shared) < len({*here.columns, *there.columns}):
        return np.full((len(here.centres), len(there.centres)), np.inf)
    own = [here.columns.index(column) for column in shared]
    other = [there.columns.index(column) for column in shared]
    centres, others = here.centres[:, own], there.centres[:, other]
    in_units = here.middles[own] + here.spreads[own] * centres
    in_other_spreads = (in_units - there.middles[other]) / there.spreads[other]
    return np.minimum(_mean_distances(centres, others), _mean_distances(in_other_spreads, others))


def _mean_distances(centres: Matrix, others: Matrix) -> Matrix:
    return np.sqrt(((centres[:, None, :] - others[None, :, :]) ** 2).mean(axis=2))


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
