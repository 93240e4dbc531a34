"""Maximum likelihood for a handful of positive parameters, with proof that a maximum was found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Array = NDArray[np.float64]
# of parameters: the log-likelihood and its gradient
Likelihood = Callable[[Array], tuple[float, Array]]

# the gain in log-likelihood per customer that another Newton step may promise at a maximum; and the one that
# may be lost in rounding, so that no step is found to fulfil the promise
TOLERANCE = 1e-13
ROUNDING = 1e-9
NEWTON_STEPS = 50
LEAST_STEP = 1e-9
# curvature below which a direction is taken to have none
FLAT = 1e-12
# step of the logarithms for second derivatives, from exact first ones
DIFFERENCE = 1e-5
FAILED = "no maximum was found"


class Coordinate(NamedTuple):
    """A product of powers of the parameters that is searched along, between bounds.

    A bound with a meaning is the limit of the model in which something no longer varies; a maximum there is
    as good as any other. A bound without one is reached by what the model can't describe.
    """

    name: str
    powers: tuple[float, ...]
    low: float
    high: float
    low_means: str | None = None
    high_means: str | None = None


@dataclass(frozen=True)
class Fit:
    """A maximum of a likelihood, or the reason why there is none."""

    parameters: tuple[float, ...]
    log_likelihood: float
    covariance: Array  # of the logarithms of the parameters; what stands at a bound does not vary
    problem: str | None = None
    limits: tuple[str, ...] = ()  # meanings of the bounds at which the maximum lies

    @property
    def converged(self) -> bool:
        """Whether a maximum was found."""
        return self.problem is None


def maximise(
    log_likelihood: Likelihood,
    starts: Sequence[Sequence[float]],
    coordinates: Sequence[Coordinate],
    customers: float,
) -> Fit:
    """Return the parameters with the highest likelihood.

    Quasi-Newton (L-BFGS-B) on the logarithms of the coordinates from fixed starting points, then Newton's
    method until no step is worth taking. A maximum counts if the gradient vanishes and the second
    derivatives are those of a peak, both along all coordinates that don't stand at a bound with a meaning.
    The first starting point that leads to one is enough: the others are for the case that it doesn't.
    Nothing is random.

    log_likelihood: summed over customers. starts: parameters to begin with, of shape (k,) each.
    coordinates: k of them, independent. customers: how many the likelihood speaks of.
    """
    powers = np.array([coordinate.powers for coordinate in coordinates], float)
    inverse = np.linalg.inv(powers)
    bounds = np.log([[coordinate.low, coordinate.high] for coordinate in coordinates])

    def objective(logs: Array) -> tuple[float, Array]:
        parameters = np.exp(inverse @ logs)
        value, gradient = log_likelihood(parameters)
        return -value / customers, -inverse.T @ (gradient * parameters) / customers

    best = None
    for start in starts:
        begin = np.clip(powers @ np.log(np.asarray(start, float)), *bounds.T)
        options = {"maxiter": 1000, "maxfun": 2000, "ftol": 1e-12, "gtol": 1e-7}
        near = minimize(objective, begin, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
        end = _newton(objective, near, bounds)
        limits, unexplained = _limits(coordinates, end)
        end = end._replace(problem=end.problem or unexplained)
        if best is None or end.problem is None or end.value < best[0].value:
            best = (end, limits)
        if end.problem is None:
            break

    assert best is not None  # there is a start
    end, limits = best
    covariance = np.zeros_like(inverse)
    if end.problem is None and end.free.any():
        peak = np.ix_(end.free, end.free)
        covariance[peak] = np.linalg.inv(end.curvature[peak] * customers)
    return Fit(
        parameters=tuple(float(parameter) for parameter in np.exp(inverse @ end.logs)),
        log_likelihood=float(-end.value * customers),
        covariance=inverse @ covariance @ inverse.T,
        problem=end.problem,
        limits=limits,
    )


class _End(NamedTuple):
    """Where a search ended."""

    logs: Array
    value: float
    curvature: Array
    free: NDArray[np.bool_]  # coordinates that are not held at a bound
    problem: str | None


def _newton(objective: Likelihood, logs: Array, bounds: Array) -> _End:
    """Search with second derivatives, also where they are not yet those of a peak: then downhill."""
    for _ in range(NEWTON_STEPS):
        value, gradient = objective(logs)
        free = ~np.where(gradient > 0, logs <= bounds[:, 0], logs >= bounds[:, 1])
        curvature = _curvature(objective, logs)
        end = _End(logs, value, curvature, free, None)
        if not free.any():
            return end
        widths, axes = np.linalg.eigh(curvature[np.ix_(free, free)])
        step = np.zeros_like(logs)
        step[free] = axes @ (axes.T @ gradient[free] / np.maximum(np.abs(widths), FLAT))
        promised = gradient @ step
        if promised < TOLERANCE:
            return end if widths[0] > 0 else end._replace(problem=f"{FAILED}: the likelihood is flat")
        step /= max(1.0, np.abs(step).max())
        while objective(np.clip(logs - step, *bounds.T))[0] >= value:
            step /= 2
            if np.abs(step).max() < LEAST_STEP:
                lost = promised < ROUNDING and widths[0] > 0
                return end if lost else end._replace(problem=f"{FAILED}: the gradient does not vanish")
        logs = np.clip(logs - step, *bounds.T)
    return end._replace(problem=f"{FAILED} in {NEWTON_STEPS} steps")


def _curvature(objective: Likelihood, logs: Array) -> Array:
    """Return the second derivatives by central differences of the gradient, of shape (k, k)."""
    steps = np.eye(len(logs)) * DIFFERENCE
    rows = np.array([objective(logs + step)[1] - objective(logs - step)[1] for step in steps])
    return (rows + rows.T) / (4 * DIFFERENCE)


def _limits(coordinates: Sequence[Coordinate], end: _End) -> tuple[tuple[str, ...], str | None]:
    """Return what the bounds mean at which a search ended, and the problem if one has no meaning."""
    meanings, problem = [], None
    for coordinate, log, is_free in zip(coordinates, end.logs, end.free, strict=True):
        if not is_free:
            at_low = np.exp(log) < np.sqrt(coordinate.low * coordinate.high)
            bound, meaning = coordinate[2::2] if at_low else coordinate[3::2]
            meanings += [meaning] if meaning else []
            if not meaning:
                problem = f"{FAILED}: {coordinate.name} runs to its bound of {bound:g}"
    return tuple(sorted(set(meanings))), problem
