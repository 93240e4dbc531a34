"""The parts of the clusters, each against examples by hand, plain definitions or another implementation."""

import dataclasses
import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.tree import DecisionTreeClassifier

from customer_segmentation.clusters import matching, naming, partitions, rules, scaling, selection, stability
from customer_segmentation.clusters.naming import Words

drawn = settings(deadline=None, derandomize=True, database=None, max_examples=60)
NUMBERS = st.floats(-1e12, 1e12) | st.just(float("nan"))


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("default", ResourceWarning)  # of what other tests left to the collector
        yield


# scaling


@drawn
@given(st.lists(NUMBERS, min_size=1, max_size=40), st.sampled_from(scaling.TRANSFORMS))
def test_any_values_are_scaled_without_nan_in_their_order_or_refused(values, transform):
    values = np.array(values)
    try:
        scale = scaling.fit_scale(values, transform)
    except scaling.UnusableColumnError:
        return
    z = scaling.standardise(values, scale)
    assert np.isfinite(z).all()
    known = np.isfinite(values)
    assert (z[~known] == 0).all()
    assert (np.diff(z[known][np.argsort(values[known])]) >= 0).all()


def test_the_median_is_zero_and_normal_values_have_their_standard_deviation_as_spread():
    values = np.random.default_rng(1).normal(100, 7, 100_000)
    scale = scaling.fit_scale(values, "plain")
    assert scale.centre == pytest.approx(100, abs=0.1)
    assert scale.spread == pytest.approx(7, rel=0.01)


@pytest.mark.parametrize("factor", [1e-3, 1_350.0])
def test_the_currency_decides_nothing(factor: float):
    amounts = np.random.default_rng(2).lognormal(3, 1, 500)
    amounts[:5] = 0  # free samples
    z = [scaling.standardise(money, scaling.fit_scale(money, "log")) for money in (amounts, amounts * factor)]
    np.testing.assert_allclose(*z, atol=1e-9)


def test_a_column_in_which_most_have_the_same_value_does_not_drown_the_others():
    values = np.zeros(1000)
    values[:200] = np.linspace(0.1, 0.9, 200)  # the interquartile range is 0
    z = scaling.standardise(values, scaling.fit_scale(values, "plain"))
    assert 0.9 < z.std() <= 1 + 1e-9


@pytest.mark.parametrize(
    "values", [[5.0] * 300, [5.0] * 299 + [6.0], [np.nan] * 160 + list(range(140)), [0.0] * 300, []]
)
@pytest.mark.parametrize("transform", ["log1p", "plain"])
def test_a_column_that_tells_nobody_apart_is_refused(values, transform):
    with pytest.raises(scaling.UnusableColumnError):
        scaling.fit_scale(np.array(values, dtype=float), transform)


def test_values_come_back_from_their_scale():
    values = np.arange(1.0, 200.0)
    for transform in scaling.TRANSFORMS:
        scale = scaling.fit_scale(values, transform)
        inside = values[(values > scale.low) & (values < scale.high)]
        np.testing.assert_allclose(scaling.in_units(scaling.standardise(inside, scale), scale), inside)


# partitions


@pytest.mark.parametrize("k", [2, 5, 10])
def test_one_formula_assigns_as_scikit_learn_does(k: int):
    z = np.random.default_rng(k).standard_normal((3000, 4)) * [1, 2, 0.5, 1]
    kmeans = KMeans(k, n_init=1, random_state=0).fit(z)
    mixture = GaussianMixture(k, covariance_type="diag", random_state=0, reg_covar=0.01).fit(z)
    assert (partitions.from_kmeans(kmeans).assign(z) == kmeans.predict(z)).all()
    partition = partitions.from_mixture(mixture)
    assert (partition.assign(z) == mixture.predict(z)).all()
    log_density = -partition.scores(z) / 2
    np.testing.assert_allclose(np.logaddexp.reduce(log_density, axis=1), mixture.score_samples(z))


# stability


def test_a_cluster_is_as_similar_as_its_best_likeness():
    reference = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2])
    other = np.array([1, 1, 1, 0, 0, 0, 2, 2, 2, 2])  # 3 of 4; 2 of 3; all
    np.testing.assert_allclose(stability.jaccard_similarities(reference, other, 3), [3 / 4, 2 / 3, 1])


def test_an_empty_cluster_is_like_nothing():
    assert stability.jaccard_similarities(np.array([0, 0]), np.array([1, 1]), 2).tolist() == [1, 0]


@drawn
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30))
def test_the_adjusted_rand_index_is_that_of_scikit_learn(labels):
    first, second = np.array(labels, dtype=np.intp).T
    found = stability.adjusted_rand_index(first, second, 4)
    assert found == pytest.approx(adjusted_rand_score(first, second), abs=1e-12)


@drawn
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=15))
def test_prediction_strength_is_the_share_of_pairs_that_are_predicted_in_the_worst_cluster(pairs):
    predicted, found = np.array(pairs).T
    shares = []
    for cluster in range(3):
        members = np.flatnonzero(found == cluster)
        together = [predicted[i] == predicted[j] for i, j in itertools.combinations(members, 2)]
        shares.append(np.mean(together) if together else 0)
    assert stability.strength(predicted, found, 3) == pytest.approx(min(shares))


def blobs(centres, size=150, spread=0.3, seed=3) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.concatenate([random.normal(centre, spread, (size, len(centre))) for centre in centres])


FOUR = [(0, 0, 0), (4, 0, 0), (0, 4, 0), (0, 0, 4)]


NOTHING = np.random.default_rng(4).standard_normal((600, 3))


def test_clusters_that_are_there_are_stable_and_others_are_not(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(selection, "NUMBERS", [4])
    (there,) = selection.candidates(blobs(FOUR), "kmeans")
    assert there.verdict == "highly stable"
    assert min(there.jaccard.min(), there.adjusted_rand, there.prediction_strength) > 0.99
    monkeypatch.setattr(selection, "NUMBERS", [6])
    (nothing,) = selection.candidates(NOTHING, "kmeans")
    assert nothing.verdict in ("doubtful", "unstable")
    assert nothing.stability < 0.7
    labels = nothing.partition.assign(NOTHING)
    assert stability.silhouette(NOTHING, labels, np.random.default_rng(1)) < there.silhouette / 2


def test_the_verdict_follows_published_limits():
    cases = {0.86: "highly stable", 0.85: "highly stable", 0.80: "stable", 0.70: "doubtful", 0.59: "unstable"}
    assert {value: stability.verdict(value) for value in cases} == cases


# selection


def candidate(k: int, jaccard=0.9, stable=0.9, silhouette=0.3, share=0.1) -> selection.Candidate:
    """Make a candidate of which only the diagnostics matter."""
    partition = partitions.Partition(np.zeros((k, 1)), np.ones((k, 1)), np.zeros(k))
    rest = 3 * stable - jaccard
    return selection.Candidate(
        partition, np.full(k, jaccard), np.full(k, share), rest / 2, rest / 2, silhouette
    )


def chosen(*options, before: int = 0) -> int | None:
    choice, reasons = selection.choose(options, before)
    assert reasons.keys() == {option.k for option in options}
    assert [k for k, reason in reasons.items() if reason.startswith("chosen")] == (
        [choice.k] if choice else []
    )
    return choice.k if choice else None


def test_of_equally_stable_and_separated_numbers_the_largest_is_chosen():
    assert chosen(candidate(3), candidate(4), candidate(5)) == 5


def test_stability_goes_before_separation():
    assert chosen(candidate(3, stable=0.90), candidate(4, stable=0.84, silhouette=0.9)) == 3


def test_separation_goes_before_number():
    assert chosen(candidate(3, silhouette=0.30), candidate(4, silhouette=0.28)) == 3


def test_a_cluster_that_is_too_small_rules_a_number_out():
    assert chosen(candidate(3), candidate(4, share=0.02)) == 3


def test_two_clusters_are_chosen_only_where_no_other_number_is_stable():
    assert chosen(candidate(2, stable=0.99), candidate(3)) == 3
    assert chosen(candidate(2), candidate(3, jaccard=0.74)) == 2


def test_doubtful_clusters_are_chosen_only_where_none_are_stable_and_unstable_ones_never():
    assert chosen(candidate(3, jaccard=0.7), candidate(4, jaccard=0.65, stable=0.9)) == 4
    assert chosen(candidate(3, jaccard=0.59), candidate(4, jaccard=0.5)) is None
    assert chosen() is None


def test_the_number_in_use_stays_while_it_is_among_the_most_stable():
    options = [candidate(3), candidate(4, silhouette=0.1), candidate(5)]
    assert chosen(*options, before=4) == 4
    assert chosen(candidate(3), candidate(4, stable=0.8), candidate(5), before=4) == 5


def test_the_number_in_use_goes_once_its_clusters_dissolve():
    assert chosen(candidate(3), candidate(4, jaccard=0.7), before=4) == 3


# how much resampling a choice asks for


def test_what_has_surely_lost_is_not_resampled_again():
    found = {option.k: option for option in selection.candidates(blobs(FOUR), "kmeans")}
    assert found[4].rounds == selection.ENOUGH_ROUNDS, "it has no rival"
    assert {option.rounds for k, option in found.items() if k > 5} == {1}
    assert selection.choose([*found.values()])[0].k == 4


@pytest.mark.parametrize("z", [blobs(FOUR), blobs(FOUR, spread=1.2), NOTHING], ids=["clear", "close", "none"])
@pytest.mark.parametrize("before", [0, 3])
def test_fewer_rounds_choose_what_all_rounds_choose(monkeypatch: pytest.MonkeyPatch, z, before: int):
    few = selection.candidates(z, "kmeans", {before})
    monkeypatch.setattr(selection, "SURE", np.inf)
    monkeypatch.setattr(selection, "ENOUGH_ROUNDS", selection.MOST_ROUNDS)
    many = selection.candidates(z, "kmeans", {before})
    assert sum(option.rounds for option in few) < 0.7 * sum(option.rounds for option in many)
    found, sought = (selection.choose(options, before)[0] for options in (few, many))
    assert (found and found.k) == (sought and sought.k)
    if found and sought:
        np.testing.assert_array_equal(found.partition.centres, sought.partition.centres)
        assert found.verdict == sought.verdict


def unsure(k: int, stable: float, jaccard=0.9) -> selection.Candidate:
    return dataclasses.replace(candidate(k, jaccard, stable), error=0.02, jaccard_error=0.05)


def test_a_number_is_a_rival_while_it_may_be_about_as_stable():
    assert selection.undecided([unsure(3, 0.9), unsure(4, 0.84), unsure(5, 0.78)], 0) == {3, 4}
    assert selection.undecided([unsure(3, 0.9), unsure(4, 0.9, jaccard=0.6)], 0) == {3}
    assert selection.undecided([unsure(3, 0.9), unsure(4, 0.9, jaccard=0.7)], 0) == {3, 4}


def test_what_is_surely_unstable_is_no_rival_even_without_a_leader():
    assert selection.undecided([unsure(3, 0.6, jaccard=0.4), unsure(4, 0.7, jaccard=0.55)], 0) == {4}
    assert selection.undecided([unsure(3, 0.6, jaccard=0.4)], 0) == set()


def test_a_number_in_use_has_only_those_as_rivals_that_may_be_clearly_more_stable():
    assert selection.undecided([unsure(3, 0.85), unsure(4, 0.84), unsure(5, 0.88)], 3) == {3, 5}


def test_two_clusters_are_no_rival_while_more_are_stable():
    assert selection.undecided([unsure(2, 0.99), unsure(3, 0.9)], 0) == {3}
    assert selection.undecided([unsure(2, 0.9), unsure(3, 0.9, jaccard=0.7)], 0) == {2, 3}


# rules


def test_the_first_nodes_of_a_tree_are_the_tree_with_fewer_leaves():
    z, labels = NOTHING, np.digitize(NOTHING[:, 0] * NOTHING[:, 1] + NOTHING[:, 2], [-1, 0, 1])
    limits = {"max_depth": rules.DEEPEST, "random_state": 0}
    whole = DecisionTreeClassifier(max_leaf_nodes=rules.MOST_LEAVES, **limits).fit(z, labels)
    for leaves in range(2, rules.MOST_LEAVES + 1):
        tree = DecisionTreeClassifier(max_leaf_nodes=leaves, **limits).fit(z, labels)
        predicted = np.empty(len(z), dtype=int)
        for cluster, limits_of_leaf, _ in rules._leaves(whole, z, leaves):
            inside = np.ones(len(z), dtype=bool)
            for column, (above, up_to) in limits_of_leaf.items():
                inside &= (z[:, column] > above) & (z[:, column] <= up_to)
            predicted[inside] = cluster
        assert (predicted == tree.predict(z)).mean() > 0.95, "but for the rounding of limits"


# matching


def places(centres, columns="abc", middle=0.0, spread=1.0) -> matching.Places:
    columns = list(columns)[: len(centres[0])]
    return matching.Places(
        columns, np.array(centres, dtype=float), np.full(len(columns), middle), np.full(len(columns), spread)
    )


def test_clusters_are_matched_so_that_all_are_as_near_as_possible():
    # one after the other, the second cluster would take the first of the others
    distance = matching.distances(places([[0.0], [0.3]]), places([[0.2], [0.5]]))
    assert matching.match(distance).tolist() == [0, 1]


def test_a_cluster_too_far_from_all_is_new_and_gets_an_id_that_was_never_given():
    matched = matching.match(matching.distances(places([[0.0], [3.0]]), places([[9.0], [0.1]])))
    assert matched.tolist() == [1, -1]
    assert matching.assign_ids(matched, np.array([2, 4]), 7).tolist() == [4, 8]


def test_the_distance_is_over_the_columns_that_both_fits_have():
    here = places([[1.0, 5.0, 2.0]], "abc")
    assert matching.distances(here, places([[2.0, 1.0]], "ca")).tolist() == [[0.0]]
    assert matching.distances(here, places([[2.0, 1.0]], "cz")).tolist() == [[np.inf]]


def test_a_cluster_is_the_same_if_it_stands_where_it_stood_among_customers_or_in_units():
    before = places([[2.0]], middle=10, spread=1)  # at 12
    assert matching.distances(places([[2.0]], middle=50, spread=3), before) == 0  # all customers have moved
    assert (
        matching.distances(places([[-1.0]], middle=14, spread=2), before) == 0
    )  # at 12 still, others have come
    assert matching.distances(places([[0.0]], middle=14, spread=2), before) == 2  # at 14, two spreads from 12


# naming

COLUMNS = ["orders", "recency", "value"]
WORDS = {
    column: Words(
        high={"en": f"high {column}", "ko": f"{column} 높음"},
        low={"en": f"low {column}", "ko": f"{column} 낮음"},
    )
    for column in COLUMNS
}


def names(difference, before=None, language="en") -> list[str]:
    difference = np.array(difference, dtype=float)
    phrases = naming.choose_phrases(difference, COLUMNS, before or [None] * len(difference))
    return naming.say(phrases, range(1, len(difference) + 1), WORDS, language)


def test_a_cluster_is_named_for_what_sets_it_apart_the_most_telling_first():
    assert names([[0.6, -1.2, 0.1]]) == ["Low recency · high orders"]
    assert names([[0.6, -1.2, 0.1]], language="ko") == ["Recency 낮음 · orders 높음"]
    assert names([[0.1, 0.1, 0.1]]) == ["Average"]


def test_no_two_clusters_have_the_same_name():
    assert names([[1, 0, 0.3], [0.9, 0, -0.3]]) == ["High orders", "High orders · low value"]
    assert names([[1, 0, 0], [1, 0, 0]]) == ["High orders (1)", "High orders (2)"]


def test_a_name_stays_while_it_is_true():
    before = [(("value", "high"),)]
    assert names([[1, 0, 0.3]], before) == ["High value"]
    assert names([[1, 0, 0.1]], before) == ["High orders"]


@drawn
@given(st.lists(st.lists(st.floats(-3, 3), min_size=3, max_size=3), min_size=1, max_size=8))
def test_names_are_unique_true_and_short(difference):
    found = naming.choose_phrases(np.array(difference), COLUMNS, [None] * len(difference))
    for row, name in zip(difference, found, strict=True):
        assert len(name) <= 3
        for column, direction in name:
            size = row[COLUMNS.index(column)]
            assert size >= 0.2 if direction == "high" else size <= -0.2
    texts = naming.say(found, range(len(found)), WORDS, "en")
    assert len(set(texts)) == len(texts)


def test_the_difference_is_that_of_the_means_in_standard_deviations():
    z = np.array([[0.0], [2.0], [4.0], [6.0]])
    found = naming.differences(z, np.array([0, 0, 1, 1]), 2)
    np.testing.assert_allclose(found, [[-2 / z.std()], [2 / z.std()]])
