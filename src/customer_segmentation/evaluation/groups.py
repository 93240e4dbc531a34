"""How much of a number the groups that customers are in explain."""

import numpy as np


def share_explained(groups: np.ndarray, values: np.ndarray) -> float | None:
    """Return eta squared: the share of the variance of values (n,) that lies between groups (n,).

    From 0 to 1; None if all values are equal. Pearson's correlation ratio, squared.
    """
    if np.ptp(values) == 0:
        return None
    _, group, size = np.unique(groups, return_inverse=True, return_counts=True)
    means = np.bincount(group, values) / size
    total = np.sum((values - values.mean()) ** 2)
    return float(np.clip(np.sum(size * (means - values.mean()) ** 2) / total, 0, 1))
