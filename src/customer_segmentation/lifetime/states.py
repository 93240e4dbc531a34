"""What the models need to know of customers: sufficient statistics, and how many customers share each."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class PurchaseStates(NamedTuple):
    """Distinct purchase histories, as arrays of shape (n,); times count from the first purchase."""

    repeats: Array  # x: purchases after the first one
    last: Array  # t_x: time of the last purchase; 0 without a repeat
    tenure: Array  # T: time observed
    customers: Array  # how many customers have this history


class SpendStates(NamedTuple):
    """Distinct spending histories, as arrays of shape (n,)."""

    purchases: Array  # purchases that the mean rests on
    mean_spend: Array  # mean spend per purchase, above 0
    customers: Array  # how many customers have this history
