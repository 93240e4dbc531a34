"""Criteria and claims on made-up segmentations: each classic mistake is found, and no other."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from customer_segmentation.validity.claims import TYPES as CLAIM_TYPES
from customer_segmentation.validity.claims import put_to_test
from customer_segmentation.validity.judge import judge
from customer_segmentation.validity.outcomes import Side, compare
from customer_segmentation.validity.outlook import TYPES as OUTLOOK_TYPES
from customer_segmentation.validity.outlook import outlook
from customer_segmentation.validity.segmentations import TYPES

DATE = pd.Timestamp("2025-12-31")
OUTCOMES = [f"capped_{outcome}_{power}" for outcome in ("orders", "revenue") for power in (1, 2, 3, 4)]
EMPTY = {
    "inputs": ["segmentation", "input_column", "known", "customers"],
    "overlaps": ["segmentation", "label", "other_segmentation", "other_label", "customers"],
    "transitions": [
        "as_of_date",
        "previous_as_of_date",
        "segmentation",
        "from_segment",
        "to_segment",
        "customers",
        "revenue",
    ],
}


def segments(names: list[str], **columns: object) -> pd.DataFrame:
    """Return a segmentation `tier` whose segments each have an owner and a treatment of their own."""
    frame = pd.DataFrame(
        {
            "segmentation": "tier",
            "segment": names,
            "assignment": "first_match",
            "owner": "crm",
            "treatment_objective": [f"objective of {name}" for name in names],
            "treatment_channel": "email",
            "treatment_offer": "offer",
            "least_share": 0.01,
            "max_share": np.nan,
            "left_out_because": None,
            "position": range(1, len(names) + 1),
        }
    )
    return frame.assign(**columns)


def counts(customers: dict[str, int], **columns: object) -> pd.DataFrame:
    """Return segment_counts of customers who may all be contacted by e-mail and brought one each."""
    frame = pd.DataFrame(
        {
            "segmentation": "tier",
            "label": list(customers),
            "known": "yes",
            "as_of_date": DATE,
            "customers": list(customers.values()),
            "revenue_12m": [float(number) for number in customers.values()],
            "is_reachable": list(customers.values()),
            "can_email": list(customers.values()),
        }
    )
    return frame.assign(**columns)


def moments(orders: dict[str, np.ndarray], window: int = 1) -> pd.DataFrame:
    """Return segment_moments of customers of each label with so many orders of 10 each."""
    rows = []
    for label, number in orders.items():
        capped = np.minimum(number / 10, 1)
        powers = [np.sum(capped**power) for power in (1, 2, 3, 4)]
        sums = [number.sum(), (number**2).sum(), 10 * number.sum(), 100 * (number**2).sum()]
        rows.append((DATE, window, "tier", label, len(number), (number > 0).sum(), *sums, *powers, *powers))
    columns = ["as_of_date", "outcome_window", "segmentation", "label", "customers", "retained"]
    return pd.DataFrame(
        rows, columns=[*columns, "orders", "orders_squared", "revenue", "revenue_squared", *OUTCOMES]
    )


def draw(mean: float, customers: int = 500, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).poisson(mean, customers).astype(float)


def judged(**frames: pd.DataFrame) -> pd.DataFrame:
    """Return the judgements of a segmentation with two good segments, or of other frames than theirs."""
    given = {
        "segments": segments(["top", "base"]),
        "counts": counts({"top": 500, "base": 500}),
        "moments": moments({"top": draw(3), "base": draw(1)}),
        **{name: pd.DataFrame(columns=columns) for name, columns in EMPTY.items()},
    }
    return judge(**(given | frames)).astype(TYPES).set_index(["criterion", "segment"])


def test_a_good_segmentation_shows_no_mistake():
    found = judged()
    assert found["mistake"].isna().all()
    passed = ["measurable", "few_enough", "selective", "actionable", "differentiable_orders", "distinct"]
    assert (found.loc[[(name, "(all)") for name in passed], "verdict"] == "pass").all()


@pytest.mark.parametrize(
    ("frames", "criterion", "segment", "mistake"),
    [
        ({"counts": counts({"top": 9, "base": 991})}, "substantial_customers", "top", "segment too small"),
        ({"counts": counts({"base": 500})}, "substantial_customers", "top", "segment too small"),
        (
            {"segments": segments([f"s{number}" for number in range(13)])},
            "few_enough",
            "(all)",
            "too many segments",
        ),
        (
            {"segments": segments(["top", "base"], treatment_objective="the same")},
            "selective",
            "(all)",
            "everyone targeted",
        ),
        ({"counts": counts({"top": 60, "base": 940})}, "selective", "(all)", "everyone targeted"),
        (
            {"moments": moments({"top": draw(1, seed=1), "base": draw(1)})},
            "distinct",
            "(all)",
            "two segments no different",
        ),
    ],
)
def test_each_classic_mistake_is_found(frames, criterion, segment, mistake):
    row = judged(**frames).loc[(criterion, segment)]
    assert (row["mistake"], row["verdict"] == "pass") == (mistake, False)


def test_few_customers_who_bring_much_are_no_mistake():
    row = judged(counts=counts({"top": 9, "base": 991}, revenue_12m=[400.0, 600.0])).loc[
        ("substantial_customers", "top")
    ]
    assert (row["verdict"], row["note"]) == ("weak", "few, but 40.0 % of the revenue")


def test_limits_of_the_definition_are_those_that_count():
    found = judged(segments=segments(["top", "base"], least_share=[0.6, 0.01], max_share=[np.nan, 0.4]))
    assert found.loc[("substantial_customers", "top"), "mistake"] == "segment too small"
    assert found.loc[("substantial_customers", "base"), "note"] == "more than its max_share of 40 %"


def test_a_million_customers_make_a_tiny_difference_certain_and_no_less_tiny():
    found = judged(moments=moments({"top": draw(1.02, 500_000), "base": draw(1, 500_000, 1)}))
    row = found.loc[("differentiable_orders", "(all)")]
    assert row["lower"] > 0
    assert row["verdict"] == "fail"
    assert found.loc[("distinct", "(all)"), "note"] == "no different: top and base"


def test_few_customers_of_whom_nothing_is_shown_are_not_called_alike():
    unknown = []
    for seed in range(20):
        # means 0.6 apart with a variance of 1.2 to 1.8: Cohen's d of 0.5
        found = judged(moments=moments({"top": draw(1.84, 30, seed), "base": draw(1.24, 30, seed + 100)}))
        whole = found.loc[("distinct", "(all)")]
        assert whole["verdict"] != "fail"
        assert pd.isna(whole["mistake"])
        if whole["verdict"] == "not known":
            unknown.append((whole["note"], found.loc[("distinct", "top"), "note"]))
    assert len(unknown) > 5
    assert set(unknown) == {
        (
            "too few customers to tell 1 of 1 pairs apart",
            "too few customers to tell it (30) from: base (30)",
        )
    }


def test_segments_explain_nothing_only_if_there_were_customers_enough_to_show_it():
    verdicts = []
    for customers in (60, 300, 3000):
        same = np.tile([0.0, 1.0, 2.0], customers // 3)
        found = judged(moments=moments({"top": same, "base": same}))
        verdicts.append(found.loc[("differentiable_orders", "(all)"), "verdict"])
    assert verdicts == ["not known", "weak", "fail"]


def test_a_few_dozen_of_whom_nobody_ordered_are_no_proof_of_a_difference():
    random = np.random.default_rng(5)
    # 5 % order on both sides, so among 30 nobody does in a fifth of the cases
    pairs = [[moments({"base": random.binomial(1, 0.05, n) * 1.0}) for n in (30, 500)] for _ in range(200)]
    found = [compare(*map(Side, pair)) for pair in pairs]
    assert found.count("different") / 200 <= 0.06


def test_many_customers_of_whom_nothing_is_shown_are_alike():
    for seed in range(10):
        found = judged(moments=moments({"top": draw(1, 2000, seed), "base": draw(1, 2000, seed + 100)}))
        assert found.loc[("distinct", "(all)"), "mistake"] == "two segments no different"
        assert found.loc[("distinct", "top"), "verdict"] == "fail"
        assert found.loc[("differentiable_revenue", "(all)"), "verdict"] == "fail"


def test_an_audience_fails_only_if_it_cannot_be_far_from_the_others():
    audience = {
        "segments": segments(["late"], assignment="all_matches"),
        "counts": counts({"late": 50, "": 950}, known=""),
    }
    many = judged(**audience, moments=moments({"late": draw(1, 2000, 1), "": draw(1, 2000)}))
    assert (many.loc["differentiable_orders", "verdict"] == "fail").all()
    few = judged(**audience, moments=moments({"late": draw(1, 40, 1), "": draw(1, 2000)}))
    assert (few.loc["differentiable_orders", "verdict"] == "not known").all()
    assert few.loc[("differentiable_orders", "late"), "note"] == (
        "40 customers and 2000 others are too few to tell"
    )


def test_a_segmentation_that_says_the_same_as_another_is_redundant():
    pairs = [("tier", one, "other", two, 490 if one == two else 10) for one in "ab" for two in "ab"]
    found = judged(
        segments=segments(["a", "b"]),
        counts=counts({"a": 500, "b": 500}),
        overlaps=pd.DataFrame(pairs, columns=EMPTY["overlaps"]),
    )
    row = found.loc[("redundant", "(all)")]
    assert row["mistake"] == "says what another says"
    assert row["note"] == f"other {row['value']:.2f}"


def test_whether_another_segmentation_overlaps_is_what_its_definition_says():
    # every customer is in one audience at most, and nobody in none: the data look like a partition
    pairs = [("tier", one, "audience", two, 490 if one == two else 10) for one in "ab" for two in "ab"]
    other = segments(["a", "b"], assignment="all_matches", segmentation="audience")
    found = judged(
        segments=pd.concat([segments(["a", "b"]), other]),
        counts=counts({"a": 500, "b": 500}),
        overlaps=pd.DataFrame(pairs, columns=EMPTY["overlaps"]),
    )
    row = found[found["segmentation"] == "tier"].loc[("redundant", "(all)")]
    assert row["note"] == "no other to compare with"


def test_audiences_are_judged_one_by_one():
    found = judged(
        segments=segments(["late", "dear"], assignment="all_matches"),
        counts=counts({"late|dear": 95, "late": 5, "dear": 0, "": 900}, known=["", "", "", "dear"]),
        moments=moments({"late|dear": draw(3), "": draw(1)}),
    )
    assert found.loc[("redundant", "late"), "note"] == "with tier.dear"
    assert found.loc[("redundant", "late"), "value"] == 0.95
    assert found.loc[("measurable", "dear"), "value"] == pytest.approx(0.1)
    assert found.loc[("measurable", "late"), "value"] == 1
    assert found.loc[("selective", "(all)"), "value"] == pytest.approx(0.1)
    assert found.loc[("differentiable_orders", "late"), "value"] > 0.5


def test_what_cannot_be_judged_is_there_and_says_why():
    nothing = judged(
        segments=segments(["top", "base"]),
        counts=counts({"top": 1}, is_reachable=np.nan, can_email=np.nan, revenue_12m=0.0),
        moments=moments({}),
    )
    unknown = nothing[nothing["verdict"] == "not known"]
    assert unknown["value"].isna().all() and unknown["note"].notna().all()
    assert nothing.loc[("differentiable_orders", "(all)"), "note"].startswith("no as-of date lies 90 days")
    assert nothing.loc[("stable", "(all)"), "verdict"] == "not known"
    left_out = judged(segments=segments(["top", "base"], left_out_because="events"))
    assert left_out["note"].tolist() == ["can't be told without events"]
    nobody = judged(segments=segments([]), counts=counts({}), moments=moments({}))
    assert nobody.empty


def claim(**columns: object) -> pd.DataFrame:
    """Return segment_claims with one claim: the orders of the top are higher than those of all others."""
    written = {
        "segmentation": "tier",
        "segment": "top",
        "metric": "orders_next_90d",
        "versus": "population",
        "direction": "higher",
        "left_out_because": None,
    }
    return pd.DataFrame([written | columns])


def claim_of(direction: str, *windows: pd.DataFrame, **columns: object) -> dict:
    """Return how a claim fares on some outcome windows."""
    tested = put_to_test(claim(direction=direction, **columns), pd.concat(windows))
    return tested.astype(CLAIM_TYPES).iloc[0].to_dict()


def test_a_claim_is_supported_refuted_or_not_shown_by_what_came():
    higher = moments({"top": draw(3), "base": draw(1)})
    assert claim_of("higher", higher)["verdict"] == "supported"
    assert claim_of("lower", higher)["verdict"] == "refuted"
    assert claim_of("higher", higher, metric="retention_next_90d")["verdict"] == "supported"
    alike = moments({"top": draw(1, seed=1), "base": draw(1)})
    assert claim_of("higher", alike)["note"] == "may be chance"
    slightly = moments({"top": draw(1.05, 200_000), "base": draw(1, 200_000, 1)})
    assert claim_of("higher", slightly)["note"] == "in this direction, but too little to matter (+0.05)"


def test_a_difference_too_small_to_support_a_claim_is_too_small_to_refute_it():
    slightly = moments({"top": draw(1, 500_000, 1), "base": draw(1.011, 500_000)})
    found = claim_of("higher", slightly)
    assert found["effect_size"] == pytest.approx(-0.011, abs=0.005)
    assert found["upper"] < 0
    assert found["verdict"] == "not shown"
    assert found["note"] == "the other way round, but too little to matter (-0.01)"


def test_a_claim_that_rests_on_one_large_customer_is_not_shown():
    large = np.concatenate([draw(1, 2000), np.full(6, 4000.0)])
    found = claim_of("higher", moments({"top": large, "base": draw(1, 2000, 1)}))
    assert found["difference"] > 5
    assert found["verdict"] == "not shown"


def test_the_latest_window_decides_and_the_others_say_whether_it_is_the_rule():
    higher, lower = ({"top": draw(3), "base": draw(1)}, {"top": draw(1), "base": draw(3)})
    found = claim_of("higher", moments(lower, 2), moments(higher, 1), moments(higher, 3))
    assert (found["verdict"], found["windows"], found["windows_in_direction"]) == ("supported", 3, 2)


def test_a_claim_about_a_handful_or_about_what_is_not_known_is_not_decided():
    few = claim_of("higher", moments({"top": draw(9, 29), "base": draw(1)}))
    assert (few["verdict"], few["customers"]) == ("too few", 29)
    assert claim_of("higher", moments({}))["verdict"] == "too few"
    left_out = claim_of("higher", moments({}), left_out_because="events")
    assert left_out["note"] == "can't be told without events"


def test_versus_a_segment_means_its_customers_alone():
    found = claim_of("higher", moments({"top": draw(2), "middle": draw(1), "base": draw(5)}), versus="middle")
    assert (found["verdict"], found["other_customers"]) == ("supported", 500)


def months(moves: dict[tuple, int], number: int = 3) -> pd.DataFrame:
    """Return segment_transitions with the same moves in each of some months."""
    ends = pd.date_range("2025-06-30", periods=number + 1, freq="ME")
    rows = [
        (now, before, "tier", source, target, customers, 0.0)
        for before, now in pairwise(ends)
        for (source, target), customers in moves.items()
    ]
    return pd.DataFrame(rows, columns=EMPTY["transitions"])


def test_who_stays_is_compared_with_chance_and_newcomers_do_not_count():
    moves = {("top", "top"): 40, ("top", "base"): 10, ("base", "top"): 20, ("base", "base"): 30}
    moves |= {(None, "base"): 500, ("top", None): 9}
    found = judged(transitions=months(moves))
    for segment in ("(all)", "top", "base"):
        row = found.loc[("stable", segment)]
        # Cohen's example: 0.7 stay, 0.5 would by chance
        assert row["value"] == pytest.approx(0.4)
    assert found.loc[("stable", "(all)"), "note"] == (
        "70 % stay from month to month, 50 % would by chance; 3 months"
    )
    assert judged(transitions=months(moves, 2)).loc[("stable", "top"), "verdict"] == "not known"


def test_an_audience_is_compared_with_all_who_were_there():
    everybody = months({("(all)", "(all)"): 100}).assign(segmentation="(all)")
    moves = months({("late", "late"): 40, ("late", None): 10, (None, "late"): 20})
    found = judged(
        segments=segments(["late"], assignment="all_matches"),
        counts=counts({"late": 50, "": 50}, known=""),
        moments=moments({"late": draw(3), "": draw(1)}),
        transitions=pd.concat([moves, everybody]),
    )
    assert found.loc[("stable", "late"), "value"] == pytest.approx(0.4)


def test_the_order_in_which_a_database_gives_the_rows_changes_nothing():
    random = np.random.default_rng(3)
    names = [f"s{number}" for number in range(5)]
    moves = {(one, other): int(random.integers(1, 90)) for one in names for other in names}
    frames = {
        "segments": segments(names),
        "counts": counts({name: int(random.integers(1, 900)) for name in names}).assign(
            revenue_12m=random.random(5)
        ),
        "moments": moments({name: draw(random.random() * 3, 400, seed) for seed, name in enumerate(names)}),
        "transitions": months(moves, 6).assign(revenue=random.random(6 * 25)),
    }
    shuffled = {name: frame.sample(frac=1, random_state=8) for name, frame in frames.items()}
    pd.testing.assert_frame_equal(judged(**frames), judged(**shuffled), check_exact=True)
    outlooks = [
        outlook(one["segments"], one["counts"], one["transitions"], one["moments"], 0.1, 36).astype(
            OUTLOOK_TYPES
        )
        for one in (frames, shuffled)
    ]
    pd.testing.assert_frame_equal(*outlooks, check_exact=True)
    claims = [
        put_to_test(claim(segment="s1"), one["moments"]).astype(CLAIM_TYPES) for one in (frames, shuffled)
    ]
    pd.testing.assert_frame_equal(*claims, check_exact=True)
