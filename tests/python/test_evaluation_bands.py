"""The bands of expected totals: what past misses make of them, and that they hold as often as they say."""

import numpy as np
import pandas as pd
import pytest

from customer_segmentation.evaluation import bands, evaluate
from customer_segmentation.evaluation.bands import Holdout, Parts

CELLS, EACH = 20, 60


def holdout(misses, begin: str = "2025-01-31", horizon: int = 90, relative_error: float = 0.0) -> Holdout:
    """Twenty cells of growing size, of which what came differs from what was expected by these shares."""
    expected = np.linspace(50, 1000, CELLS)
    return Holdout(
        begin=pd.Timestamp(begin),
        horizon=horizon,
        expected=expected,
        came=expected * (1 + np.broadcast_to(misses, CELLS)),
        variance=np.zeros(CELLS),
        judged=np.ones(CELLS, bool),
        relative_error=relative_error,
    )


def quarters(misses: list) -> list[Holdout]:
    begins = pd.date_range("2010-03-31", periods=len(misses), freq="QE")
    return [holdout(miss, str(day.date())) for miss, day in zip(misses, begins, strict=True)]


def test_a_new_miss_of_all_customers_is_within_nine_times_out_of_ten_however_few_holdouts_there_were():
    draw = np.random.default_rng(1)
    for number in (1, 2, 4):
        held = 0
        for _ in range(1500):
            *past, new = quarters(list(draw.normal(0, 0.2, number + 1)))
            _, half = bands.parts(past, 90).half_widths(new)
            held += abs(new.came.sum() - new.total) <= half
        assert held / 1500 == pytest.approx(0.9, abs=0.025), number


def test_the_two_parts_of_the_error_are_told_apart():
    draw = np.random.default_rng(2)
    past = quarters([draw.normal(0, 0.1) + draw.normal(0, 0.3, CELLS) for _ in range(400)])
    assert bands.common_error(past) == pytest.approx(
        np.hypot(0.1, 0.3 * np.sqrt(np.sum(past[0].share ** 2))), rel=0.1
    )
    assert bands.cell_error(past) == pytest.approx(0.3, rel=0.1)


def test_chance_is_no_error_of_the_model():
    draw = np.random.default_rng(3)
    past = [
        Holdout(**(vars(one) | {"came": draw.poisson(one.expected), "variance": one.expected}))
        for one in quarters([0.0] * 200)
    ]
    assert bands.cell_error(past) < 0.02


def test_cells_hold_nine_times_out_of_ten():
    draw = np.random.default_rng(4)
    held = []
    for _ in range(300):
        *past, new = quarters([draw.normal(0, 0.1) + draw.normal(0, 0.3, CELLS) for _ in range(5)])
        of_cells, _ = bands.parts(past, 90).half_widths(new)
        held.append(np.mean(np.abs(new.came - new.expected) <= of_cells))
    assert 0.88 <= np.mean(held) <= 0.95


def test_everybody_has_no_deviation_from_everybody():
    one = holdout(0.0)
    whole = Holdout(
        **(vars(one) | {name: getattr(one, name)[:1] for name in ("expected", "came", "variance", "judged")})
    )
    of_cells, of_total = Parts(common=0.1, cells=5.0, holdouts=1, windows=1).half_widths(whole)
    assert of_cells[0] == of_total == pytest.approx(0.1 * whole.total)


def test_windows_that_overlap_are_one_degree_of_freedom():
    monthly = [holdout(0.1, str(day.date())) for day in pd.date_range("2025-01-31", periods=6, freq="ME")]
    assert bands.windows_apart(monthly) == 2
    assert bands.windows_apart(quarters([0.1] * 6)) == 6


def test_a_single_window_of_a_year_leans_on_the_quarters_and_on_the_larger_miss():
    year, past = holdout(0.2, "2010-03-31", horizon=365), quarters([0.1, -0.1, 0.1, -0.1])
    together = bands.parts([year, *past], 365)
    assert (together.holdouts, together.windows) == (5, 4)
    assert together.common == pytest.approx(2.1318 * 0.2, rel=1e-3)
    assert bands.parts([year], 365).common == pytest.approx(6.3138 * 0.2, rel=1e-3)
    assert bands.parts([year, *past], 90) == bands.parts(past, 90)
    years = [holdout(0.2, f"{begin}-03-31", horizon=365) for begin in (2007, 2008, 2009)]
    assert bands.parts([*years, *past], 365) == bands.parts(years, 365)


def shop(begin: str, miss: float, horizon: int = 90) -> pd.DataFrame:
    """A holdout in the columns of evaluate; every customer brings 10 times 1 + miss."""
    number = CELLS * EACH
    return pd.DataFrame(
        {
            "score": f"revenue_{horizon}d",
            "kind": "amount",
            "horizon_days": horizon,
            "as_of_date": pd.Timestamp(begin),
            "customer_id": [f"c{row:05}" for row in range(number)],
            "predicted": 10.0,
            "actual": 10 * (1 + miss),
            "segment_mean": 10.0,
            "repeat_rate": 10.0,
            "recency": 1.0,
            "lifetime_model": None,
            "cell": np.repeat(np.arange(CELLS), EACH),
            "variance": 0.0,
            "relative_error": 0.0,
        }
    )


def of_band(*shops: pd.DataFrame) -> pd.DataFrame:
    rows = evaluate(pd.concat(shops, ignore_index=True))
    return rows[rows["metric"].str.startswith("band_")].set_index(["as_of_date", "metric"])


def test_a_holdout_is_no_part_of_the_band_that_is_held_against_it():
    right, wrong = shop("2025-03-31", 0.0), shop("2025-06-30", 0.5)
    found = of_band(right, wrong)["value"]
    first, second = pd.Timestamp("2025-03-31"), pd.Timestamp("2025-06-30")
    assert found[second, "band_coverage"] == found[second, "band_coverage_of_total"] == 0
    assert found[first, "band_coverage"] == found[first, "band_coverage_of_total"] == 1
    # what is published rests on both, once, beside the last of them
    assert found[second, "band_common_part"] == pytest.approx(2.92 * 0.5 / np.sqrt(2), rel=1e-3)
    assert (first, "band_common_part") not in found.index


def test_a_single_holdout_makes_a_band_and_cannot_be_held_against_it():
    found = of_band(shop("2025-03-31", 0.5)).droplevel("as_of_date")
    assert found.loc["band_coverage", "value"] is None
    assert found.loc["band_coverage", "note"] == "there is no other holdout to make a band from"
    assert found.loc["band_common_part", "value"] == pytest.approx(6.3138 * 0.5, rel=1e-3)
    assert found.loc["band_common_part", "note"] == "1 holdout, of 90 days"


def test_a_year_is_held_against_a_band_from_quarters_where_there_is_no_other_year():
    year = shop("2025-03-31", 0.2, horizon=365)
    found = of_band(year, shop("2025-03-31", 0.1), shop("2025-06-30", -0.1))
    of_year = found[found["score"] == "revenue_365d"].droplevel("as_of_date")
    assert of_year.loc["band_coverage_of_total", "value"] == 1
    assert (
        of_year.loc["band_common_part", "note"] == "3 holdouts, 2 of them apart in time, of 90 and 365 days"
    )


def test_customers_without_a_variance_are_in_no_total_that_bands_are_held_against():
    one, other = shop("2025-03-31", 0.1), shop("2025-06-30", 0.1)
    other.loc[::2, ["variance", "actual"]] = [None, 1e6]
    found = of_band(one, other)["value"]
    assert found[pd.Timestamp("2025-06-30"), "band_coverage_of_total"] == 1
