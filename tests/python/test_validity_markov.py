"""The Markov view against published numbers, and on shops whose future is known."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from customer_segmentation.validity.markov import distance, present_value, project
from customer_segmentation.validity.outlook import outlook

# Pfeifer and Carraway (2000), Modeling customer relationships as Markov chains, Journal of Interactive
# Marketing 14(2), 43-55: who bought 1 to 4 periods ago buys again with these probabilities, and is given up
# after that. An order contributes 40, a period of marketing costs 4, the discount rate is 0.2.
AGAIN = (Fraction(30, 100), Fraction(20, 100), Fraction(15, 100), Fraction(5, 100))
ORDER, MARKETING, DISCOUNT = 40, 4, Fraction(2, 10)


def chain(again: tuple) -> np.ndarray:
    """Return the transitions between periods since the last order, the last of which is for good."""
    matrix = np.zeros((len(again) + 1, len(again) + 1))
    for number, probability in enumerate(again):
        matrix[number, 0], matrix[number, number + 1] = probability, 1 - probability
    matrix[-1, -1] = 1
    return matrix


REWARDS = np.array([ORDER - MARKETING, -MARKETING, -MARKETING, -MARKETING, 0.0])


def worth(recency: int, periods: int) -> Fraction:
    """Return what a customer is worth by going through all that may happen, in exact fractions."""
    if recency > 4:
        return Fraction(0)
    value = Fraction(ORDER - MARKETING if recency == 1 else -MARKETING)
    if periods:
        buys = AGAIN[recency - 1]
        later = buys * worth(1, periods - 1) + (1 - buys) * worth(recency + 1, periods - 1)
        value += later / (1 + DISCOUNT)
    return value


def test_the_published_example_over_four_periods():
    found = present_value(chain(AGAIN), REWARDS, float(DISCOUNT), 4)
    assert found == pytest.approx([float(worth(recency, 4)) for recency in range(1, 6)], abs=1e-12)
    assert found == pytest.approx([50.115, 4.220, 0.592, -1.980, 0], abs=0.0005)


def test_the_published_example_without_end():
    found = present_value(chain(AGAIN), REWARDS, float(DISCOUNT))
    # every state is worth what it brings and the discounted worth of where it leads
    assert found == pytest.approx(REWARDS + chain(AGAIN) @ found / 1.2, abs=1e-12)
    assert found == pytest.approx([52.320, 5.554, 1.251, -1.820, 0], abs=0.0005)


def test_giving_up_a_customer_whose_worth_is_negative_is_worth_more():
    """The paper's point: marketing to the fourth state costs more than it brings."""
    given_up = chain(AGAIN[:3])
    found = present_value(given_up, REWARDS[[0, 1, 2, 4]], float(DISCOUNT))
    everyone = present_value(chain(AGAIN), REWARDS, float(DISCOUNT))
    assert (found[:3] > everyone[:3]).all()


@pytest.mark.parametrize(
    ("again", "rewards", "discount", "periods", "published"),
    [
        # the variants in the tests of phpOMS (Karaka-Management), tests/Business/Marketing/MetricsTest.php
        ((0.3, 0.2, 0.05), [36, -4, -4, 0], 0.2, 4, [49.4, 2.69, -1.98, 0]),
        ((0.5, 0.2, 0.1), [100, 0, 0, 0], 0.1, None, [231.08, 57.29, 21.01, 0]),
    ],
)
def test_variants_of_it_that_others_publish(again, rewards, discount, periods, published):
    found = present_value(chain(again), np.array(rewards, float), discount, periods)
    assert found == pytest.approx(published, abs=0.06)


def test_many_periods_come_to_the_limit_and_without_an_exit_or_a_discount_there_is_none():
    limit = present_value(chain(AGAIN), REWARDS, 0.2)
    assert present_value(chain(AGAIN), REWARDS, 0.2, 200) == pytest.approx(limit, abs=1e-9)
    with pytest.raises(ValueError, match="no limit"):
        present_value(np.eye(2), np.ones(2), 0)


def test_nobody_is_lost_or_made_by_moving():
    transitions = np.array([[0.5, 0.5, 0], [0.1, 0.6, 0.3], [0, 0.2, 0.8]])
    mix = project(np.array([10.0, 20, 30]), transitions, np.array([1.0, 0, 0]), 12)
    assert mix.sum() == pytest.approx(72)
    assert distance(mix, mix * 3) == 0
    assert distance(np.array([1.0, 0]), np.array([0, 5.0])) == 1


SEGMENTS = pd.DataFrame(
    {
        "segmentation": "tier",
        "segment": ["top", "base"],
        "assignment": "first_match",
        "left_out_because": None,
        "position": [1, 2],
    }
)


def shop(
    months: int, mixes: list[tuple[int, int]], stay: tuple[float, float], revenue: float
) -> pd.DataFrame:
    """Return months of a shop whose customers stay with these shares; 100 arrive in the base each month."""
    dates = pd.date_range("2025-01-31", periods=months + 1, freq="ME")
    rows = []
    top, base = mixes
    for before, now in pairwise(dates):
        moves = {
            ("top", "top"): top * stay[0],
            ("top", "base"): top * (1 - stay[0]),
            ("base", "base"): base * stay[1],
            ("base", "top"): base * (1 - stay[1]),
            (None, "base"): 100,
        }
        for (source, target), customers in moves.items():
            money = customers * revenue if source == "top" else 0
            rows.append((now, before, "tier", source, target, customers, money))
        top, base = (
            moves["top", "top"] + moves["base", "top"],
            moves["top", "base"] + moves["base", "base"] + 100,
        )
    columns = ["as_of_date", "previous_as_of_date", "segmentation", "from_segment", "to_segment"]
    return pd.DataFrame(rows, columns=[*columns, "customers", "revenue"])


def counts(top: int, base: int) -> pd.DataFrame:
    return pd.DataFrame({"segmentation": "tier", "label": ["top", "base"], "customers": [top, base]})


def moments(
    day: str = "2025-08-31", top: float = 0, base: float = 0, customers: int = 100, spread: float = 0
) -> pd.DataFrame:
    """Return what customers brought in the 90 days after a day, and by how much they differed."""
    frame = pd.DataFrame({"label": ["top", "base"], "revenue": [top * customers, base * customers]})
    squares = frame["revenue"] ** 2 / customers + customers * spread**2
    return frame.assign(
        as_of_date=pd.Timestamp(day), segmentation="tier", customers=customers, revenue_squared=squares
    )


def test_a_shop_that_moves_steadily_is_foretold_and_the_guess_that_nothing_changes_is_beaten():
    moves = shop(12, (10_000, 1_000), (0.8, 0.9), revenue=10)
    found = outlook(SEGMENTS, counts(500, 500), moves, moments(), 0.1, 36).set_index("segment")
    assert found["verdict"].unique().tolist() == ["better"]
    assert found["markov_error_6m"].max() < 1e-9 < found["unchanged_error_6m"].max()
    assert found.loc["top", "backtests_3m"] == 7
    mix = np.array([500.0, 500])
    for _ in range(3):
        mix = np.array([0.8 * mix[0] + 0.1 * mix[1], 0.2 * mix[0] + 0.9 * mix[1] + 100])
    assert found["expected_customers_3m"].tolist() == pytest.approx(mix.tolist())
    assert found.loc["base", "arrivals_per_month"] == 100


def test_value_is_what_the_months_bring_each_discounted_from_its_middle():
    moves = shop(4, (1_000, 1_000), (1.0, 1.0), revenue=10)
    found = outlook(SEGMENTS, counts(1, 1), moves, moments(), 0.1, 36).set_index("segment")
    monthly = 1.1 ** (1 / 12)
    assert found.loc["top", "markov_revenue_12m"] == pytest.approx(120)
    by_hand = sum(10 / monthly ** (month + 0.5) for month in range(36))
    assert found.loc["top", "markov_value_horizon"] == pytest.approx(by_hand)
    assert found.loc["base", "markov_value_12m"] == 0


def test_a_young_shop_has_no_outlook_and_says_so():
    found = outlook(SEGMENTS, counts(3, 7), shop(2, (10, 10), (0.5, 0.5), 1), moments(), 0.1, 36)
    assert found["note"].str.contains("2 whole months").all()
    assert found["expected_share_3m"].isna().all()
    assert found["share_of_customers"].tolist() == [0.3, 0.7]
    assert found["verdict"].tolist() == ["not known", "not known"]


def test_fewer_than_three_backtests_are_no_verdict():
    def found(months: int) -> pd.DataFrame:
        moves = shop(months, (10_000, 1_000), (0.8, 0.9), 1)
        return outlook(SEGMENTS, counts(500, 500), moves, moments(), 0.1, 36)

    assert found(7)["backtests_3m"].tolist() == [2, 2]
    assert found(7)["verdict"].tolist() == ["not known", "not known"]
    assert found(7)["note"].tolist() == ["months to look back from: 2; 3 are needed"] * 2
    # five of three months and two of six: the shorter horizon decides
    ten = found(10)
    assert (ten["backtests_3m"][0], ten["backtests_6m"][0], ten["verdict"][0]) == (5, 2, "better")
    assert ten["note"].isna().all()


def test_who_leaves_for_good_brings_nothing_any_more():
    moves = shop(4, (1_000, 1_000), (1.0, 1.0), revenue=10)
    moves.loc[(moves["from_segment"] == "top"), ["to_segment"]] = None
    found = outlook(SEGMENTS, counts(1, 1), moves, moments(), 0.1, 36).set_index("segment")
    assert found.loc["top", "share_leaving"] == 1
    assert found.loc["top", "markov_revenue_12m"] == pytest.approx(10)


def test_the_revenue_of_the_chain_has_a_verdict_of_its_own():
    """Of three months that bring 10 each, 90 days have 29.59."""
    moves = shop(8, (1_000, 1_000), (1.0, 1.0), revenue=10)

    def verdicts(**of_90_days) -> list:
        found = outlook(SEGMENTS, counts(1, 1), moves, moments(**of_90_days), 0.1, 36)
        return list(
            found[["markov_revenue_ratio_3m", "markov_revenue_verdict"]].itertuples(index=False, name=None)
        )

    came = 10 * 90 / 365 * 12
    assert verdicts(top=came) == [(pytest.approx(1), "holds"), (None, "holds")]
    assert verdicts(top=came / 1.3) == [(pytest.approx(1.3), "too high"), (None, "holds")]
    # 100 customers who differ by 40 each: 683 are off, and 784 may be by chance
    assert verdicts(top=came / 1.3, spread=40)[0] == (pytest.approx(1.3), "not known")
    assert verdicts(top=came / 1.1, spread=40)[0] == (pytest.approx(1.1), "holds")
    assert verdicts(top=came / 0.7)[0] == (pytest.approx(0.7), "too low")
    assert verdicts(top=came, base=1)[1] == (0, "too low")
    assert [verdict for _, verdict in verdicts(top=came, customers=29)] == ["not known"] * 2
    # a day with two months before it is no test
    assert [verdict for _, verdict in verdicts(day="2025-03-31", top=came)] == ["not known"] * 2
