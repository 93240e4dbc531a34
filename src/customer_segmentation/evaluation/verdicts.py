"""Whether a score is better than a heuristic: one verdict a metric, one a heuristic, one in all.

The rule, which docs/decisions/evaluation.md explains:

1. Metric by metric, on the same customers. The score is better if it is nearer to the ideal by more than a
   negligible amount and the 95 % interval of the difference lies above 0; worse the other way round;
   else equal.
2. Against a heuristic, three metrics have a vote each: rank, error and bias. The majority of the votes
   decides, and equal votes are equal.
3. In all, the score is worse if it is worse than a heuristic that could take its place, or if recency
   alone, which only ranks, ranks better and the score beats none that could. It is better if each that
   could take its place was known and is beaten, and it is not worse than recency alone or another learned
   score. Else it is equal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from customer_segmentation.evaluation import metrics
from customer_segmentation.evaluation.metrics import Estimate

BETTER, EQUAL, WORSE = "better", "equal", "worse"
FEWEST_CUSTOMERS = 100
FEWEST_OF_A_KIND = 10  # customers who ordered; for probabilities also customers who did not
Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Metric:
    """A metric, what is ideal, and what difference is too small to matter."""

    compute: Callable[[np.ndarray, np.ndarray], Estimate | None]
    ideal: float  # infinite: the higher the better
    negligible: float
    is_relative: bool = False  # negligible is a share of what the heuristic has
    needs_values: bool = True  # a heuristic that only ranks has no errors

    def loss(self, estimate: Estimate) -> tuple[float, np.ndarray]:
        """Return how far from the ideal it is, up to a constant, with the influence of each customer."""
        if np.isinf(self.ideal):
            return -estimate.value, -estimate.influence
        distance = estimate.value - self.ideal
        return abs(distance), np.sign(distance) * estimate.influence


HIGH = np.inf
BIAS = Metric(metrics.bias, ideal=0, negligible=0.05)
LIFT = Metric(metrics.lift_in_top_tenth, ideal=HIGH, negligible=0.01, is_relative=True, needs_values=False)
AMOUNT = {
    "rank_correlation": Metric(metrics.rank_correlation, ideal=HIGH, negligible=0.01, needs_values=False),
    "rmse": Metric(metrics.root_mean_squared_error, ideal=0, negligible=0.01, is_relative=True),
    "bias": BIAS,
    "mae": Metric(metrics.mean_absolute_error, ideal=0, negligible=0.01, is_relative=True),
    "lift_in_top_tenth": LIFT,
}
PROBABILITY = {
    "area_under_curve": Metric(metrics.area_under_curve, ideal=HIGH, negligible=0.01, needs_values=False),
    "brier_score": Metric(metrics.mean_squared_error, ideal=0, negligible=0.01, is_relative=True),
    "bias": BIAS,
    "calibration_slope": Metric(metrics.calibration_slope, ideal=1, negligible=0.05),
    "calibration_intercept": Metric(metrics.calibration_intercept, ideal=0, negligible=0.05),
    "lift_in_top_tenth": LIFT,
}
METRICS = {"amount": AMOUNT, "probability": PROBABILITY}
VOTES = {
    "amount": ("rank_correlation", "rmse", "bias"),
    "probability": ("area_under_curve", "brier_score", "bias"),
}
RANK_ONLY = "recency alone"
LIFETIME_MODEL = "lifetime model"  # a learned score itself: shown beside, and not to be lost to
REPLACEMENTS = ("segment mean", "repeat rate")  # could take the place of a score


@dataclass(frozen=True)
class Comparison:
    """A metric of the score and of a heuristic; gain is how much nearer to the ideal the score is."""

    value: float | None
    heuristic_value: float | None = None
    gain: float | None = None
    gain_lower: float | None = None
    gain_upper: float | None = None
    verdict: str | None = None


def compare(metric: Metric, score: Estimate | None, heuristic: Estimate | None, enough: bool) -> Comparison:
    """Compare a score with a heuristic on the same customers; where they are enough, with a verdict."""
    if score is None or heuristic is None:
        return Comparison(score.value if score else None, heuristic.value if heuristic else None)
    loss, influence = metric.loss(score)
    heuristic_loss, heuristic_influence = metric.loss(heuristic)
    gain = heuristic_loss - loss
    margin = Z_95 * metrics.standard_error(heuristic_influence - influence)
    negligible = metric.negligible * (abs(heuristic.value) if metric.is_relative else 1)
    verdict = None
    if enough:
        verdict = EQUAL
        if gain - margin > 0 and gain > negligible:
            verdict = BETTER
        elif gain + margin < 0 and gain < -negligible:
            verdict = WORSE
    return Comparison(score.value, heuristic.value, gain, gain - margin, gain + margin, verdict)


def is_enough(kind: str, actual: np.ndarray) -> bool:
    """Whether customers, of shape (n,) with what they did, are enough for intervals by the normal law."""
    ordered = int(np.count_nonzero(actual))
    rest = len(actual) - ordered if kind == "probability" else FEWEST_OF_A_KIND
    return len(actual) >= FEWEST_CUSTOMERS and min(ordered, rest) >= FEWEST_OF_A_KIND


def against_heuristic(kind: str, verdicts: Mapping[str, str | None]) -> str | None:
    """Return the verdict against a heuristic from {metric: verdict}: the majority of rank, error and bias."""
    votes = [verdicts[name] for name in VOTES[kind] if verdicts.get(name)]
    if not votes:
        return None
    balance = votes.count(BETTER) - votes.count(WORSE)
    return BETTER if balance > 0 else WORSE if balance < 0 else EQUAL


def overall(
    by_heuristic: Mapping[str, str | None], errors: Mapping[str, float]
) -> tuple[str | None, str | None]:
    """Return the verdict in all and the heuristic that takes the score's place, if it is worse.

    by_heuristic: {heuristic: verdict against it}; errors: {heuristic with values: its RMSE or Brier score}.
    What is missing from by_heuristic, or has no verdict, is not beaten.
    """
    verdicts = {name: verdict for name, verdict in by_heuristic.items() if verdict}
    if not verdicts:
        return None, None
    with_values = {name: verdict for name, verdict in verdicts.items() if name in REPLACEMENTS}
    lost_to = [name for name, verdict in with_values.items() if verdict == WORSE]
    if not lost_to and verdicts.get(RANK_ONLY) == WORSE and BETTER not in with_values.values():
        lost_to = list(with_values)
        if not lost_to:
            return WORSE, None
    if lost_to:
        return WORSE, min(lost_to, key=lambda name: (errors[name], name))
    beats_all = all(verdicts.get(name) == BETTER for name in REPLACEMENTS)
    return (BETTER if beats_all and WORSE not in verdicts.values() else EQUAL), None
