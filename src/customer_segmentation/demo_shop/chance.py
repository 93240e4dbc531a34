"""Random draws from the fixed seed, and small helpers on arrays of customers."""

import zlib

import numpy as np

from customer_segmentation.demo_shop.tables import SEED, TYPES


def stream(name: str) -> np.random.Generator:
    """A random stream of its own for each step: a change in one leaves the draws of the others alone."""
    return np.random.Generator(np.random.PCG64([SEED, zlib.crc32(name.encode())]))


def traits(kind: np.ndarray, column: str) -> np.ndarray:
    """A column of the table of types, for each customer."""
    return TYPES[column].to_numpy()[kind]


def is_a(name: str, kind: np.ndarray) -> np.ndarray:
    """Whether each customer is of the type of that name."""
    return kind == TYPES.index.get_loc(name)


def pick(rng: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """For each row of weights, the number of a column, drawn in proportion to them."""
    bounds = weights.cumsum(axis=1)
    drawn = rng.random(len(weights)) * bounds[:, -1]
    return (drawn[:, None] >= bounds).sum(axis=1).clip(max=weights.shape[1] - 1)


def dirichlet(rng: np.random.Generator, concentrations: np.ndarray) -> np.ndarray:
    """Shares that add up to one in each row; the smaller the concentrations, the more uneven."""
    drawn = rng.gamma(concentrations) + 1e-12 * (concentrations > 0)
    return drawn / drawn.sum(axis=1, keepdims=True)


def rank_within(groups: np.ndarray) -> np.ndarray:
    """0, 1, 2 … within each run of equal values."""
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]]) if len(groups) else np.array([], int)
    return np.arange(len(groups)) - np.repeat(starts, np.diff(np.r_[starts, len(groups)]))
