"""Where a criterion passes and where it fails. docs/decisions/validity.md says why."""

from typing import NamedTuple

PASS, WEAK, FAIL, NOT_KNOWN = "pass", "weak", "fail", "not known"


class Limits(NamedTuple):
    """A criterion passes from `good` on and fails beyond `poor`; good may be above poor or below."""

    good: float
    poor: float

    def verdict(self, value: float | None) -> str:
        """Return pass, weak or fail, or not known without a value."""
        if value is None:
            return NOT_KNOWN
        if self.good >= self.poor:
            return PASS if value >= self.good else FAIL if value < self.poor else WEAK
        return PASS if value <= self.good else FAIL if value > self.poor else WEAK


# Cohen (1988): eta squared .01 small, .06 medium; w .1 small, .3 medium; d and h .2 small, .5 medium
ETA_SQUARED = Limits(0.06, 0.01)
CRAMERS_V = Limits(0.3, 0.1)
DIFFERENCE = Limits(0.5, 0.2)
# Landis and Koch (1977): kappa above .6 substantial, .4 to .6 moderate
KAPPA = Limits(0.6, 0.4)
# the rest are conventions of this project
KNOWN = Limits(0.8, 0.5)
REACHED = Limits(0.5, 0.2)
SEGMENTS = Limits(8, 12)
ONE_TREATMENT = Limits(0.8, 0.9)
MUTUAL_INFORMATION = Limits(0.3, 0.6)
JACCARD = Limits(0.5, 0.8)
DISTINCT_PAIRS = Limits(1, 0.5)

FEWEST_CUSTOMERS = 30  # of a group whose mean is compared
FEWEST_IN_ALL = 100  # of a segmentation that is judged by what came
FEWEST_BUYERS = 10  # on both sides together
FEWEST_MONTHS = 3
FEWEST_BACKTESTS = 3  # forecasts that are compared with what came
MOST_OFF = 0.2  # of what came, as in the mart calibration
Z_95 = 1.959963984540054  # half of a 95 % interval, in standard errors
