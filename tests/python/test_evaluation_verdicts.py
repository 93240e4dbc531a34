"""The rule by which a score wins or loses against the heuristics beside it."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer_segmentation.evaluation import evaluate, verdicts
from customer_segmentation.evaluation.verdicts import BETTER, EQUAL, WORSE

CUSTOMERS = 2000


def shop(kind: str = "amount", seed: int = 1, customers: int = CUSTOMERS) -> pd.DataFrame:
    """A holdout of one score that knows the truth, beside heuristics that know some of it."""
    draw = np.random.default_rng(seed)
    rate = draw.gamma(1, 1, customers)
    rough = np.where(rate < 0.5, 0.3, np.where(rate < 1, 0.7, 2.0))
    noisy = rate * draw.gamma(2, 1, customers)
    if kind == "amount":
        predicted, segment_mean, repeat_rate = rate, rough, noisy
        actual = draw.poisson(rate).astype(float)
    else:
        predicted, segment_mean, repeat_rate = (1 - np.exp(-x) for x in (rate, rough, noisy))
        actual = (draw.random(customers) < predicted).astype(float)
    return pd.DataFrame(
        {
            "score": "a score",
            "kind": kind,
            "horizon_days": 90,
            "as_of_date": pd.Timestamp("2026-01-31"),
            "customer_id": [f"c{number:05}" for number in range(customers)],
            "predicted": predicted,
            "actual": actual,
            "segment_mean": segment_mean,
            "repeat_rate": repeat_rate,
            "recency": noisy + draw.normal(0, 2, customers),
            "lifetime_model": None,
            "cell": None,
            "variance": np.nan,
            "relative_error": np.nan,
        }
    )


def verdict(holdout: pd.DataFrame, heuristic: str = "(all)", metric: str = "overall") -> str | None:
    rows = evaluate(holdout)
    return rows[(rows["heuristic"] == heuristic) & (rows["metric"] == metric)]["verdict"].item()


def row(holdout: pd.DataFrame, heuristic: str, metric: str) -> pd.Series:
    rows = evaluate(holdout)
    return rows[(rows["heuristic"] == heuristic) & (rows["metric"] == metric)].iloc[0]


@pytest.mark.parametrize("kind", ["amount", "probability"])
def test_who_knows_the_truth_is_better_than_every_heuristic(kind: str):
    rows = evaluate(shop(kind))
    assert set(rows[rows["metric"] == "overall"]["verdict"]) == {BETTER}


@pytest.mark.parametrize("kind", ["amount", "probability"])
@pytest.mark.parametrize(
    "bad",
    [
        lambda x: x[::-1].to_numpy(),  # of somebody else
        lambda x: x.max() - x,  # the wrong way round
        lambda x: np.full(len(x), x.mean()),  # one for all
        lambda x: x / 2,  # by half too low
    ],
)
def test_a_bad_score_is_worse_and_its_replacement_is_named(kind: str, bad):
    holdout = shop(kind)
    holdout["predicted"] = bad(holdout["predicted"])
    found = row(holdout, "(all)", "overall")
    assert (found["verdict"], found["replaced_by"]) == (WORSE, "segment mean")


@pytest.mark.parametrize("kind", ["amount", "probability"])
def test_a_score_that_is_the_heuristic_is_equal_to_it(kind: str):
    holdout = shop(kind)
    holdout["predicted"] = holdout["segment_mean"]
    rows = evaluate(holdout)
    against_itself = rows[rows["heuristic"] == "segment mean"]
    assert set(against_itself["verdict"].dropna()) == {EQUAL}
    assert verdict(holdout) == EQUAL


def test_a_difference_that_is_too_small_to_matter_is_equal_however_many_customers_there_are():
    holdout = shop(customers=50_000)
    holdout["segment_mean"] = holdout["predicted"] * 1.01
    found = row(holdout, "segment mean", "bias")
    assert found["gain_lower"] <= found["gain"] <= found["gain_upper"]
    assert abs(found["gain"]) < 0.02
    assert found["verdict"] == EQUAL


def test_mae_has_no_vote():
    holdout = shop()
    holdout["segment_mean"] = 0.0  # nothing has a good mean absolute error where most order nothing
    holdout["actual"] = np.where(np.arange(CUSTOMERS) % 10 == 0, holdout["actual"] * 5, 0.0)
    holdout["predicted"] = holdout["predicted"] / 2
    assert verdict(holdout, "segment mean", "mae") == WORSE
    assert verdict(holdout, "segment mean") == BETTER


def test_being_alive_is_no_churn_score():
    """A customer with one purchase is alive for sure to BG/NBD, and has most often gone."""
    draw = np.random.default_rng(3)
    orders_once = draw.random(CUSTOMERS) < 0.6
    returns = np.where(orders_once, 0.1, 0.5)
    holdout = shop("probability")
    holdout["actual"] = (draw.random(CUSTOMERS) < returns).astype(float)
    holdout["predicted"] = np.where(orders_once, 1.0, draw.uniform(0.3, 0.95, CUSTOMERS))
    holdout["segment_mean"] = np.where(orders_once, 0.12, 0.45)
    assert row(holdout, "segment mean", "area_under_curve")["value"] < 0.5
    assert verdict(holdout) == WORSE


def test_recency_alone_takes_the_place_of_nothing_but_its_rank_counts():
    holdout = shop()
    holdout["recency"] = holdout["predicted"]
    holdout["predicted"] = holdout["segment_mean"] = holdout["repeat_rate"]
    found = row(holdout, "(all)", "overall")
    assert verdict(holdout, "recency alone") == WORSE
    assert found["verdict"] == WORSE
    assert found["replaced_by"] in ("repeat rate", "segment mean")


def test_a_score_that_beats_what_could_replace_it_stays_though_recency_ranks_better():
    holdout = shop()
    truth = holdout["predicted"]
    holdout["recency"] = truth
    holdout["predicted"] = truth + np.random.default_rng(4).normal(0, 0.3, CUSTOMERS)
    assert verdict(holdout, "recency alone") == WORSE
    assert verdict(holdout, "segment mean") == BETTER
    assert verdict(holdout) == EQUAL


@pytest.mark.parametrize("kind", verdicts.VOTES)
def test_the_majority_of_rank_error_and_bias_decides(kind: str):
    worth = {BETTER: 1, EQUAL: 0, WORSE: -1, None: 0}
    for votes in itertools.product(worth, repeat=3):
        found = verdicts.against_heuristic(kind, dict(zip(verdicts.VOTES[kind], votes, strict=True)))
        expected = {1: BETTER, 0: EQUAL, -1: WORSE}[int(np.sign(sum(worth[vote] for vote in votes)))]
        assert found == (expected if any(votes) else None), votes


def test_the_heuristic_with_the_smallest_error_takes_the_place():
    lost = {"segment mean": WORSE, "repeat rate": WORSE, "recency alone": EQUAL}
    assert verdicts.overall(lost, {"segment mean": 2.0, "repeat rate": 1.0}) == (WORSE, "repeat rate")
    lost["segment mean"] = BETTER
    assert verdicts.overall(lost, {"segment mean": 0.5, "repeat rate": 1.0}) == (WORSE, "repeat rate")


def test_few_customers_are_measured_and_not_judged():
    rows = evaluate(shop(customers=99))
    assert rows["verdict"].isna().all()
    measured = rows[(rows["heuristic"] == "segment mean") & (rows["metric"] != "overall")]
    assert measured["value"].notna().all()
    assert rows.iloc[-1]["note"] == "too few customers, or too few who ordered, for a verdict"


def test_few_who_ordered_are_not_judged():
    holdout = shop("probability")
    holdout["actual"] = (np.arange(CUSTOMERS) < 9).astype(float)
    assert verdict(holdout) is None
    holdout["actual"] = 1 - holdout["actual"]
    assert verdict(holdout) is None


@pytest.mark.parametrize("column", ["segment_mean", "repeat_rate"])
def test_a_score_is_not_proven_better_than_what_was_not_known_yet(column: str):
    holdout = shop()
    assert verdict(holdout) == BETTER
    holdout[column] = np.nan
    name = column.replace("_", " ")
    assert row(holdout, name, "overall")["note"] == "not known on the date of the fit"
    found = row(holdout, "(all)", "overall")
    assert found["verdict"] == EQUAL
    assert found["note"] == f"not proven better: on the date of the fit the {name} was not known"


def test_a_score_that_lost_lost_whatever_was_not_known():
    holdout = shop()
    holdout["predicted"], holdout["repeat_rate"] = holdout["predicted"].max() - holdout["predicted"], np.nan
    found = row(holdout, "(all)", "overall")
    assert (found["verdict"], found["replaced_by"], found["note"]) == (WORSE, "segment mean", None)


def test_a_score_is_compared_with_what_the_lifetime_model_says_and_never_replaced_by_it():
    holdout = shop("probability")
    truth = holdout["predicted"]
    beaten = holdout.assign(lifetime_model=holdout["repeat_rate"])
    assert verdict(beaten, "lifetime model") == BETTER
    assert verdict(beaten) == BETTER
    worse_than_it = holdout.assign(lifetime_model=truth, predicted=(truth + holdout["segment_mean"]) / 2)
    assert verdict(worse_than_it, "segment mean") == verdict(worse_than_it, "repeat rate") == BETTER
    assert verdict(worse_than_it, "lifetime model") == WORSE
    found = row(worse_than_it, "(all)", "overall")
    assert (found["verdict"], found["replaced_by"]) == (EQUAL, None)
    rows = evaluate(holdout)
    assert "lifetime model" not in set(rows["heuristic"])


def test_customers_without_a_prediction_are_left_out():
    holdout = shop()
    without = holdout.assign(predicted=holdout["predicted"].where(holdout.index >= 500))
    pd.testing.assert_frame_equal(evaluate(without), evaluate(holdout[500:]))
    assert set(evaluate(without)["customers"]) == {1500}
    assert evaluate(holdout.assign(predicted=np.nan)).empty


def test_every_score_and_date_is_judged_by_itself():
    good, bad = shop(), shop(seed=2).assign(score="another", as_of_date=pd.Timestamp("2026-03-31"))
    bad["predicted"] = bad["predicted"].max() - bad["predicted"]
    both = evaluate(pd.concat([good, bad]).sample(frac=1, random_state=1))
    apart = [evaluate(good), evaluate(bad)]
    pd.testing.assert_frame_equal(both, pd.concat(apart, ignore_index=True))


def test_clusters_are_set_beside_as_many_groups_by_the_segment_mean():
    holdout = shop(customers=900).assign(kind="group")
    rate = holdout["predicted"]
    holdout["segment_mean"] = np.random.default_rng(6).random(900)
    holdout["predicted"] = (rate.rank(method="first") - 1) // 300
    found = evaluate(holdout).iloc[0]
    groups = [values.to_numpy() for _, values in holdout.groupby("predicted")["actual"]]
    between = sum(len(group) * (group.mean() - holdout["actual"].mean()) ** 2 for group in groups)
    assert found["value"] == pytest.approx(between / ((len(holdout) - 1) * holdout["actual"].var()))
    assert found["heuristic_value"] < 0.02 < found["value"]
    assert found["verdict"] is None


numbers = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1e6, allow_subnormal=False))


@settings(deadline=None, derandomize=True, database=None, max_examples=40)
@given(
    st.sampled_from(["amount", "probability", "group"]),
    st.lists(st.tuples(*[numbers] * 5, st.sampled_from("ab")), min_size=1, max_size=40),
    st.sampled_from([1, 2, 20]),
)
def test_no_holdout_leads_to_a_warning_or_a_nan(kind: str, rows: list[tuple], copies: int):
    columns = ["predicted", "actual", "segment_mean", "repeat_rate", "recency", "cell"]
    holdout_of = {"score": "orders_90d", "horizon_days": 90, "lifetime_model": None}
    holdout = pd.DataFrame(rows * copies, columns=columns)
    if kind == "probability":
        values = columns[:4]
        holdout[values] = holdout[values] / (1 + holdout[values])
        holdout["actual"] = holdout["actual"].round()
    holdout = holdout.assign(**holdout_of, kind=kind, variance=1.0, relative_error=0.1)
    holdout["as_of_date"] = pd.Timestamp("2025-03-31") + pd.to_timedelta(90 * (holdout.index % 3), unit="D")
    holdout["customer_id"] = [f"{number:03}" for number in range(len(holdout))]
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        found = evaluate(holdout)
        turned = evaluate(holdout[::-1])
    pd.testing.assert_frame_equal(found, turned)
    values = found[["value", "heuristic_value", "gain", "gain_lower", "gain_upper"]].to_numpy()
    assert all(value is None or np.isfinite(value) for value in values.ravel())
