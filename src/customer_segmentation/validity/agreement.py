"""How far two ways to part customers agree, beyond chance, from their table of counts."""

import numpy as np
from scipy.special import gammaln, xlogy


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
    None if either side has a single group.
    """
    table = np.asarray(table, float)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape, default=0) < 2:
        return None
    total, rows, columns = table.sum(), table.sum(axis=1), table.sum(axis=0)
    entropy = (_entropy(rows, total) + _entropy(columns, total)) / 2
    information = _entropy(rows, total) + _entropy(columns, total) - _entropy(table.ravel(), total)
    by_chance = _expected_information(rows, columns, total)
    if entropy - by_chance <= 1e-12:
        return None
    return float((information - by_chance) / (entropy - by_chance))


def _entropy(counts: np.ndarray, total: float) -> float:
    return float(-np.sum(xlogy(counts / total, counts / total)))


def _expected_information(rows: np.ndarray, columns: np.ndarray, total: float) -> float:
    """Return the mean mutual information of all tables with these margins.

    A cell is then hypergeometric. What is further from its mean than 12 standard deviations, and 30
    customers, is less likely than 1e-15 and left out.
    """
    expected = 0.0
    for row in rows:
        for column in columns:
            mean = row * column / total
            spread = np.sqrt(mean * (total - row) / total * (total - column) / max(total - 1, 1))
            reach = 12 * spread + 30
            least = max(1, row + column - total, np.floor(mean - reach))
            count = np.arange(least, min(row, column, np.ceil(mean + reach)) + 1)
            probability = np.exp(
                _choose(row, count) + _choose(total - row, column - count) - _choose(total, column)
            )
            expected += np.sum(count / total * np.log(total * count / (row * column)) * probability)
    return float(expected)


def _choose(among: float, number: np.ndarray | float) -> np.ndarray:
    return gammaln(among + 1) - gammaln(number + 1) - gammaln(among - number + 1)
