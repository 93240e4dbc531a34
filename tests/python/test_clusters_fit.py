"""Fits as a whole: what is there is found, ids are kept, and SQL assigns customers as scikit-learn does."""

import re
import warnings
from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import PROJECT
from sklearn.metrics import adjusted_rand_score

from customer_segmentation import clusters
from customer_segmentation.clusters import partitions, scaling, selection

LIST = PROJECT / "macros" / "fits" / "cluster_columns.sql"
DECLARED = yaml.safe_load(re.search(r"set columns %\}(.*?)\{%", LIST.read_text(encoding="utf-8"), re.S)[1])
COLUMNS = clusters.read_columns(DECLARED)
NAMES = [column.name for column in COLUMNS]
MARCH, JUNE, SEPTEMBER = date(2026, 3, 31), date(2026, 6, 30), date(2026, 9, 30)

# days since the last order, orders, value of an order, discount share, visits
BEST, LAPSED, HUNTERS, BROWSERS = (
    (10, 30, 90, 0.02, 3),
    (400, 20, 80, 0.02, 0),
    (60, 3, 30, 0.3, 2),
    (30, 1, 20, 0.05, 30),
)
KINDS = [BEST, LAPSED, HUNTERS, BROWSERS]


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch):
    """Try fewer numbers and draw fewer samples than in earnest."""
    monkeypatch.setattr(selection, "NUMBERS", range(2, 7))
    monkeypatch.setattr(selection, "ENOUGH_ROUNDS", 2)
    monkeypatch.setattr(selection, "MOST_ROUNDS", 3)


def customers(kinds=KINDS, day: date = MARCH, size: int = 120, seed: int = 1) -> pd.DataFrame:
    """Draw customers of some kinds, as cluster_sample holds them, with their kind."""
    random = np.random.default_rng(seed)
    values = np.concatenate(
        [np.tile(kind, (size, 1)) * random.lognormal(0, 0.2, (size, 5)) for kind in kinds]
    )
    values[:, [0, 1, 4]] = np.round(values[:, [0, 1, 4]])
    frame = pd.DataFrame(values, columns=NAMES)
    frame["customer_id"] = [f"c{number}" for number in range(len(frame))]
    return frame.assign(kind=np.repeat(range(len(kinds)), size), fitted_on=pd.Timestamp(day))


def fit(*samples: pd.DataFrame, previous: pd.DataFrame | None = None, method: str = "kmeans") -> pd.DataFrame:
    return clusters.fit_table(pd.concat(samples), COLUMNS, method, previous)


def rows(table: pd.DataFrame, metric: str, day: date | None = None) -> pd.DataFrame:
    found = table[table["metric"] == metric]
    return found if day is None else found[found["fitted_on"] == day]


def ids(table: pd.DataFrame, day: date) -> list[int]:
    return sorted(rows(table, "offset", day)["cluster_id"])


def problem(table: pd.DataFrame) -> str:
    (note,) = rows(table, "problem")["note"]
    assert rows(table, "offset").empty
    return note


@pytest.fixture(scope="module")
def score(project, tmp_path_factory):
    """Run the compiled score_cluster on a fit and customers, all as of one date."""
    compiled = project.dbt(tmp_path_factory.mktemp("compiled"), "compile", "--select", "score_cluster")
    assert compiled.success, compiled.message
    (node,) = [result.node for result in compiled.result.results if result.node.name == "score_cluster"]

    day = f"date '{MARCH}'"
    known = ", ".join(f"nullif({name}, 'nan'::double) as {name}" for name in NAMES)

    def run(table: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.register("drawn", people)
            connection.register("fitted", table)
            for statement in (
                "attach ':memory:' as shop; use shop",
                "create schema features; create schema fits; create schema scores",
                f"create table people as select customer_id, {day} as as_of_date, {known} from drawn",
                "create view features.features_rfm as from people",
                "create view features.features_browsing as from people",
                "create table fits.fit_clusters as from fitted",
                f"create table scores.fits_in_use as select {day} as as_of_date, {day} as learned_on",
            ):
                connection.execute(statement)
            cursor = connection.execute(node.compiled_code)
            columns = [column[0] for column in cursor.description]
            return pd.DataFrame(cursor.fetchall(), columns=columns).set_index("customer_id")

    return run


def test_the_kinds_of_customers_are_found_again(score):
    people = customers()
    table = fit(people)
    assert rows(table, "verdict")[["k", "note"]].to_numpy().tolist() == [[4, "highly stable"]]
    found = score(table, people)["nearest_cluster"]
    assert adjusted_rand_score(people["kind"], found[people["customer_id"]]) == 1
    names = dict(zip(rows(table, "name_en")["cluster_id"], rows(table, "name_en")["note"], strict=True))
    assert len(set(names.values())) == 4
    best = found[people["customer_id"][people["kind"] == 0]].unique()
    assert best.tolist() == ["cluster_1"], "the most valuable comes first"
    assert "many orders" in names[1].lower()


@pytest.mark.parametrize("method", partitions.METHODS)
def test_sql_assigns_as_scikit_learn_predicts(score, monkeypatch: pytest.MonkeyPatch, method: str):
    models = []

    def recorded(name: str):
        make = getattr(partitions, name)

        def wrapped(model):
            models.append((model, make(model)))
            return models[-1][1]

        return wrapped

    for name in ("from_kmeans", "from_mixture"):
        monkeypatch.setattr(partitions, name, recorded(name))
    sample = customers(size=100)
    sample.loc[::7, "discount_share"] = np.nan
    table = fit(sample, method=method)
    scales = {
        name: scaling.fit_scale(sample[name].to_numpy(), column.transform)
        for name, column in zip(NAMES, COLUMNS, strict=True)
    }

    everybody = customers(KINDS * 2, size=300, seed=2)  # most of them were not in the sample
    everybody[NAMES] *= np.random.default_rng(3).lognormal(
        0, 1, (len(everybody), 5)
    )  # and many are in between
    everybody.loc[::5, "visits_90d"] = np.nan
    everybody.loc[::11, "average_order_value"] = -5
    z = np.column_stack([scaling.standardise(everybody[name].to_numpy(), scales[name]) for name in NAMES])

    scored = score(table, everybody).loc[everybody["customer_id"]]
    centres = (
        rows(table, "centre")
        .query("section == 'cluster'")
        .pivot(index="cluster_id", columns="column_name", values="value")
    )
    centres = centres[NAMES].to_numpy()
    of_id = {f"cluster_{cluster_id}": place for place, cluster_id in enumerate(ids(table, MARCH))}
    for model, partition in models:
        if len(partition.centres) == len(centres):
            place = [np.flatnonzero((partition.centres == centre).all(axis=1)) for centre in centres]
            if all(len(found) == 1 for found in place):
                predicted = model.predict(z)
                assigned = np.concatenate(place)[scored["nearest_cluster"].map(of_id)]
                assert (assigned == predicted).all()
                distance = np.sqrt(
                    (partition.weights[predicted] * (z - partition.centres[predicted]) ** 2).mean(axis=1)
                )
                np.testing.assert_allclose(scored["cluster_distance"], distance, rtol=1e-9, atol=1e-7)
                break
    else:
        pytest.fail("the model behind the table was not recorded")


def test_the_order_of_rows_changes_nothing_and_neither_does_a_second_run():
    people = [customers(day=MARCH), customers(day=JUNE, seed=5)]
    table = fit(*people)
    again = fit(*(rows.sample(frac=1, random_state=7) for rows in reversed(people)), previous=table)
    pd.testing.assert_frame_equal(table, again)


def test_the_currency_decides_nothing(score):
    people = customers()
    won = people.assign(average_order_value=people["average_order_value"] * 1_350)
    in_euro, in_won = (score(fit(sample), sample)["nearest_cluster"].to_dict() for sample in (people, won))
    assert in_euro == in_won


def test_what_is_learned_of_a_sample_fits_its_rules():
    people = customers(size=150, seed=6)
    people[NAMES] *= np.random.default_rng(8).lognormal(0, 0.5, (len(people), 5))
    people.loc[::6, "visits_90d"] = np.nan
    table = fit(people)
    conditions = dict(
        zip(rows(table, "condition")["cluster_id"], rows(table, "condition")["note"], strict=True)
    )
    assert any("coalesce(visits_90d" in condition for condition in conditions.values())
    partition = _partition(table, people)
    known = people.astype(dict.fromkeys(NAMES, object)).where(people.notna(), None)
    with duckdb.connect() as connection:
        connection.register("people", known)
        named = connection.execute(
            "select "
            + ", ".join(f"coalesce({condition}, false)" for condition in conditions.values())
            + " from people"
        ).fetchall()
    named = np.array(named)
    assert (named.sum(axis=1) == 1).all(), "everybody is in one segment"
    (fidelity,) = rows(table, "fidelity")["value"]
    assert fidelity == pytest.approx((np.array(list(conditions))[named.argmax(axis=1)] == partition).mean())
    for place, cluster_id in enumerate(conditions):
        hits = (named[:, place] & (partition == cluster_id)).sum()
        for metric, of in (("precision", named[:, place]), ("recall", partition == cluster_id)):
            (value,) = rows(table, metric).query("cluster_id == @cluster_id")["value"]
            assert value == pytest.approx(hits / of.sum())


def _partition(table: pd.DataFrame, people: pd.DataFrame) -> np.ndarray:
    """Assign people in numpy, from the table alone."""
    cluster = table[(table["section"] == "cluster")]
    centres, weights = (
        cluster[cluster["metric"] == metric].pivot(index="cluster_id", columns="column_name", values="value")[
            NAMES
        ]
        for metric in ("centre", "weight")
    )
    z = np.column_stack(
        [
            scaling.standardise(
                people[name].to_numpy(), scaling.fit_scale(people[name].to_numpy(), column.transform)
            )
            for name, column in zip(NAMES, COLUMNS, strict=True)
        ]
    )
    scores = [((z - centres.loc[i].to_numpy()) ** 2) @ weights.loc[i].to_numpy() for i in centres.index]
    return centres.index.to_numpy()[np.argmin(scores, axis=0)]


# ids from fit to fit


def test_clusters_keep_their_ids_and_names_when_customers_change_a_little():
    later = [(days * 1.1, orders * 1.2, value, share, visits) for days, orders, value, share, visits in KINDS]
    table = fit(customers(), customers(later, day=JUNE, seed=9))
    assert ids(table, JUNE) == ids(table, MARCH) == [1, 2, 3, 4]
    for metric in ("phrases", "name_en", "name_ko"):
        assert rows(table, metric, JUNE)["note"].tolist() == rows(table, metric, MARCH)["note"].tolist()
    distances = rows(table, "distance", JUNE)
    assert distances["note"].unique().tolist() == [MARCH.isoformat()]
    assert (distances["value"] < 0.2).all()
    before, after = (
        rows(table, "typical_value", day).set_index(["cluster_id", "column_name"])["value"]
        for day in (MARCH, JUNE)
    )
    assert after.loc[:, "lifetime_orders"].loc[1] > before.loc[:, "lifetime_orders"].loc[1]


def test_a_new_kind_gets_a_new_id_and_an_id_that_is_gone_never_comes_back():
    table = fit(customers(KINDS), customers(KINDS[:3], JUNE), customers(KINDS, SEPTEMBER))
    gone = set(ids(table, MARCH)) - set(ids(table, JUNE))
    assert len(gone) == 1
    (new,) = set(ids(table, SEPTEMBER)) - set(ids(table, JUNE))
    assert new == 5
    assert rows(table, "new", SEPTEMBER)["cluster_id"].tolist() == [5]
    assert rows(table, "highest_id")["value"].tolist() == [4, 4, 5]


def test_a_date_on_record_keeps_its_ids_without_the_dates_before_it():
    both = fit(customers(KINDS[:3]), customers(KINDS, JUNE))
    stored = both[both["fitted_on"] == JUNE].assign(cluster_id=lambda table: table["cluster_id"] * 10)
    stored.loc[stored["metric"] == "highest_id", "value"] *= 10
    again = fit(customers(KINDS, JUNE, seed=4), previous=stored)
    assert ids(again, JUNE) == [10 * number for number in ids(both, JUNE)]
    later = fit(customers(KINDS, SEPTEMBER, seed=4), previous=stored)
    assert ids(later, SEPTEMBER) == ids(again, JUNE)
    kept = later[later["fitted_on"] == JUNE].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, stored.reset_index(drop=True), check_dtype=False)
    earlier = fit(customers(KINDS, MARCH, seed=4), previous=stored)
    assert ids(earlier, MARCH) == ids(again, JUNE)
    assert rows(earlier, "distance").empty, "there is no fit before it"
    assert ids(fit(customers(KINDS, JUNE)), JUNE) == [1, 2, 3, 4], "nothing is on record"


def test_a_table_of_another_shape_is_no_record():
    people = customers()
    table = fit(people)
    half = table[table["metric"] != "phrases"]
    for previous in (table.drop(columns="metric"), half, table.iloc[:0], pd.DataFrame({"x": [1]})):
        pd.testing.assert_frame_equal(fit(people, previous=previous), table)


# too little data


def test_too_few_customers_are_told_how_many_are_needed():
    assert problem(fit(customers(size=20))) == "80 buyers; clusters need 200"
    assert problem(fit(customers(size=1, kinds=[BEST]))) == "1 buyers; clusters need 200"


def test_a_date_without_customers_has_a_row_that_says_so():
    table = clusters.fit_table(customers().iloc[:0], COLUMNS, "kmeans", None, [MARCH])
    assert problem(table) == "0 buyers; clusters need 200"
    assert table.dtypes.tolist() == fit(customers(size=20)).dtypes.tolist()


@pytest.mark.parametrize(
    "values", [{}, dict.fromkeys(NAMES, np.nan), {"visits_90d": np.nan, "discount_share": np.nan}]
)
def test_customers_that_are_all_equal_have_no_clusters(values):
    people = customers(kinds=[BEST], size=300)
    people[NAMES] = BEST
    assert "columns tell customers apart" in problem(fit(people.assign(**values)))


def test_two_sorts_of_equal_customers_and_extreme_values_do_no_harm():
    people = customers(size=100)
    people[NAMES] = np.where(people[["kind"]] < 2, BEST, BROWSERS)
    table = fit(people)
    assert rows(table, "verdict")["k"].tolist() == [2]
    people.loc[0, NAMES] = [1e9, 1e9, 1e15, 1, 1e9]
    people.loc[1, NAMES] = 0
    table = fit(people)
    assert np.isfinite(table["value"].dropna()).all()


def test_customers_without_any_structure_are_given_no_clusters_that_would_dissolve(monkeypatch):
    monkeypatch.setattr(selection, "NUMBERS", range(5, 7))
    people = customers(kinds=[BEST], size=400)
    people[NAMES] = np.random.default_rng(3).uniform(1, 2, (400, 5))
    table = fit(people)
    assert "stable" in problem(table)
    assert set(rows(table, "decision")["k"]) == {5, 6}, "what was tried is on record"


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="kmeens"):
        fit(customers(), method="kmeens")
