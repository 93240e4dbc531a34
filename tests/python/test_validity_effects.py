"""Effect sizes and agreement: known values, and intervals that cover what they should."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score, cohen_kappa_score

from customer_segmentation.validity.agreement import adjusted_mutual_information, kappa
from customer_segmentation.validity.effects import (
    Sums,
    cohens_d,
    cohens_h,
    cramers_v,
    eta_squared,
    of_yes_or_no,
    welch,
)


def sums_of(groups: np.ndarray, values: np.ndarray) -> Sums:
    """Return the sums of powers of values (n,) in groups (n,) numbered from 0."""
    powers = np.stack([np.bincount(groups, values**power) for power in (1, 2, 3, 4)], axis=1)
    return Sums(np.bincount(groups).astype(float), powers)


def one(values: list[float]) -> Sums:
    return sums_of(np.zeros(len(values), int), np.array(values, float))


def test_eta_squared_of_an_example_by_hand():
    # means 2 and 6 around 4: between 4 * 2^2 * 2 = 24 of 28 with 2 + 2 within; less chance, 1 - 1/7 * 5/4
    groups, values = np.array([0, 0, 0, 1, 1, 1]), np.array([1.0, 2, 3, 5, 6, 7])
    assert eta_squared(sums_of(groups, values)).value == pytest.approx(1 - (4 / 28) * 5 / 4)


def test_groups_by_chance_explain_next_to_nothing():
    groups = np.repeat(np.arange(8), 25)
    found = [
        eta_squared(sums_of(groups, np.random.default_rng(seed).normal(size=200))) for seed in range(300)
    ]
    # eta squared itself would be (8 - 1) / (200 - 1) on average; below 0 counts as 0
    assert np.mean([effect.value for effect in found]) < 7 / 199 / 2
    assert np.mean([effect.value == 0 for effect in found]) > 0.4


@pytest.mark.parametrize(
    "share_buying", [(0.10, 0.10, 0.15, 0.15), (0.05, 0.1, 0.2, 0.5), (0.02, 0.3, 0.1, 0.6)]
)
def test_the_interval_covers_the_truth_for_outcomes_as_skewed_as_revenue(share_buying):
    sizes = np.array([200, 500, 800, 500])

    def draw(copies: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng(seed)
        groups = np.repeat(np.arange(4), sizes * copies)
        buys = random.random(len(groups)) < np.array(share_buying)[groups]
        return groups, np.where(buys, np.minimum(random.lognormal(0, 1, len(groups)), 8) / 8, 0)

    groups, values = draw(500, 1)
    means = np.bincount(groups, values) / np.bincount(groups)
    truth = np.dot(np.bincount(groups), (means - values.mean()) ** 2) / np.sum((values - values.mean()) ** 2)
    intervals = [eta_squared(sums_of(*draw(1, seed))) for seed in range(2, 302)]
    covered = np.mean([interval.lower <= truth <= interval.upper for interval in intervals])
    assert 0.91 <= covered <= 0.99


@pytest.mark.parametrize("customers", [60, 300, 3000])
def test_the_upper_end_is_above_the_truth_where_groups_explain_next_to_nothing(customers):
    truth = 0.01  # two equal groups 0.2 standard deviations apart: 0.1^2 / (1 + 0.1^2)
    groups = np.arange(customers) % 2
    above, margins = 0, []
    for seed in range(400):
        values = np.random.default_rng(seed).normal(size=customers) + 0.2 * groups
        bought = (values > 0.1).astype(float)
        above += eta_squared(sums_of(groups, values)).upper >= truth * 0.99
        margins.append(cramers_v(np.bincount(groups), np.bincount(groups, bought)).upper)
    assert above / 400 >= 0.95
    # the shares are 0.46 and 0.54
    assert np.mean(np.array(margins) >= 0.0797) >= 0.95


def test_cramers_v_of_an_example_by_hand():
    # 30 of 50 and 10 of 50: chi2 = 16.67, phi2 = 1/6; less 1/99, over 1 - 1/99
    found = cramers_v(np.array([50.0, 50]), np.array([30.0, 10]))
    assert found.value == pytest.approx(np.sqrt((1 / 6 - 1 / 99) / (1 - 1 / 99)))
    assert found.lower < found.value < found.upper


def test_cramers_v_is_0_where_shares_are_equal_and_1_where_they_decide():
    assert cramers_v(np.array([50.0, 70]), np.array([25.0, 35])).value == 0
    assert cramers_v(np.array([50.0, 50]), np.array([50.0, 0])).value == pytest.approx(1)


def test_nothing_is_said_where_all_did_the_same_or_are_together():
    assert cramers_v(np.array([50.0, 50]), np.array([0.0, 0])) is None
    assert eta_squared(sums_of(np.zeros(9, int), np.arange(9.0))) is None
    assert welch(one([1, 1]), one([1, 1])) is None
    assert welch(one([1]), one([1, 2])) is None


def test_welch_of_an_example_by_hand():
    # means 2 and 5, variances of the means 1/3 and 1: t with (4/3)^2 / (1/18 + 1/2) = 3.2 degrees of freedom
    found = welch(one([1, 2, 3]), one([4, 3, 5, 8]))
    error = 1 / 3 + 14 / 3 / 4
    freedom = error**2 / ((1 / 3) ** 2 / 2 + (14 / 12) ** 2 / 3)
    assert found.value == pytest.approx(-3)
    assert (found.upper - found.lower) / 2 / np.sqrt(error) == pytest.approx(
        {4: 2.78, 5: 2.57}[round(freedom)], abs=0.2
    )


@pytest.mark.parametrize("customers", [30, 200, 2000])
def test_welch_covers_the_difference_of_skewed_revenue(customers):
    def draw(random, share):
        buys = random.random(customers) < share
        return np.where(buys, random.lognormal(0, 1, customers), 0)

    truth = (0.5 - 0.3) * np.exp(0.5)
    covered = 0
    for seed in range(400):
        random = np.random.default_rng(seed)
        interval = welch(one(draw(random, 0.5)), one(draw(random, 0.3)))
        covered += interval.lower <= truth <= interval.upper
    assert covered / 400 >= 0.91


def test_cohens_measures_of_known_examples():
    # two groups with a spread of 1, and Cohen's own example: 0.21 and 0.25 are about 0.1 apart
    assert cohens_d(one([1, 2, 3]), one([2, 3, 4])) == pytest.approx(-1)
    assert cohens_h(0.25, 0.21) == pytest.approx(0.095, abs=0.001)
    assert cohens_h(0.5, 0.4) == pytest.approx(0.201, abs=0.001)


def test_sums_of_a_yes_or_no_are_those_of_0_and_1():
    sums = of_yes_or_no(np.array([4.0]), np.array([3.0]))
    assert sums.means[0] == 0.75
    assert sums.variances[0] == pytest.approx(0.1875)


def test_kappa_of_an_example_by_hand():
    # Cohen (1960): observed 0.7, expected 0.5 * 0.6 + 0.5 * 0.4
    assert kappa(np.array([[40.0, 10], [20, 30]])) == pytest.approx((0.7, 0.5, 0.4))
    assert kappa(np.array([[50.0]]))[2] is None


tables = st.lists(st.lists(st.integers(0, 40), min_size=3, max_size=3), min_size=2, max_size=5)


@given(tables)
def test_adjusted_mutual_information_is_that_of_the_customers_one_by_one(rows):
    table = np.array(rows)
    row, column = np.nonzero(table)
    found = adjusted_mutual_information(table)
    if found is None:
        return
    counts = table[row, column]
    truth = adjusted_mutual_info_score(np.repeat(row, counts), np.repeat(column, counts))
    assert found == pytest.approx(truth, abs=1e-9)


@given(tables.filter(lambda rows: len(rows) == 3))
def test_kappa_is_that_of_the_customers_one_by_one(rows):
    table = np.array(rows, float)
    if not table.sum() or kappa(table)[2] is None:
        return
    row, column = np.nonzero(table)
    counts = table[row, column].astype(int)
    truth = cohen_kappa_score(np.repeat(row, counts), np.repeat(column, counts))
    assert kappa(table)[2] == pytest.approx(truth, abs=1e-9)


def test_a_million_customers_agree_as_a_thousand_do_and_as_fast():
    small = np.array([[300, 100, 20], [50, 400, 130]])
    started = time.process_time()
    large = adjusted_mutual_information(small * 1000)
    assert time.process_time() - started < 0.5
    assert large == pytest.approx(adjusted_mutual_information(small), abs=0.01)
    row, column = np.indices(small.shape)
    counts = 1000 * small.ravel()
    truth = adjusted_mutual_info_score(np.repeat(row.ravel(), counts), np.repeat(column.ravel(), counts))
    assert large == pytest.approx(truth, abs=1e-6)


groups_of_values = st.lists(st.lists(st.integers(0, 5), min_size=3, max_size=20), min_size=2, max_size=5)


@given(groups_of_values)
def test_effects_stay_within_bounds_and_do_not_depend_on_the_order_of_groups(groups):
    number = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    values = np.concatenate(groups) / 5
    found = eta_squared(sums_of(number, values))
    if found is None:
        assert np.ptp(values) == 0
        return
    assert 0 <= found.lower <= found.value <= found.upper <= 1
    turned = eta_squared(sums_of(len(groups) - 1 - number, values))
    assert turned.value == pytest.approx(found.value, abs=1e-9)
