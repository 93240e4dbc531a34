"""The next order in the database: scores are the fit's, reasons its largest parts, and no fit looks ahead."""

import json
import re
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import PROJECT

from customer_segmentation.next_order import fit_table, predict, read_features

WINDOW, GAP, MOST_DATES = timedelta(30), timedelta(7), 6
REASON = re.compile(r"(?P<said>[a-z0-9 ]+): (?P<value>unknown|-?[\d.]+) \((?P<sign>more|less) likely\)")
WORDS = yaml.safe_load(
    (PROJECT / "macros" / "fits" / "next_order_features.sql")
    .read_text(encoding="utf-8")
    .partition("{%- set features %}")[2]
    .partition("{% endset -%}")[0]
)
SETTINGS = "select any_value(settings) from fits.fits_due where fit = 'fit_next_order'"


def declared(settings: str) -> pd.DataFrame:
    """Return the features as the settings of the fit have them: feature, transform and value."""
    return pd.DataFrame(json.loads(settings)["features"])


def values(columns: pd.DataFrame) -> str:
    """Return a query for the features of all buyers, from what the settings of the fit say they are."""
    listed = ", ".join(
        f"cast({row.value} as double) as {row.feature}" for row in columns.itertuples(index=False)
    )
    return f"""
        select features_rfm.customer_id, features_rfm.as_of_date, {listed}
        from features.features_rfm
        left join features.features_browsing
            on features_rfm.customer_id = features_browsing.customer_id
            and features_rfm.as_of_date = features_browsing.as_of_date
        where features_rfm.lifetime_orders > 0
    """


@pytest.fixture(scope="module")
def columns(demo) -> pd.DataFrame:
    ((settings,),) = demo.rows(SETTINGS)
    return declared(settings)


@pytest.fixture(scope="module")
def scored(demo, columns) -> pd.DataFrame:
    """The demo's scores beside the values of the features."""
    known = f"({values(columns)}) using (customer_id, as_of_date)"
    return demo.frame(f"select * from scores.score_next_order inner join {known}")


@pytest.fixture(scope="module")
def fits(demo) -> dict[date, pd.DataFrame]:
    table = demo.frame("select * from fits.fit_next_order").astype({"value": float})
    return dict(list(table.groupby("fitted_on")))


def test_the_demo_has_fits_and_the_first_two_dates_have_none(fits):
    problems = {day: fit[fit["metric"] == "problem"]["note"].tolist() for day, fit in fits.items()}
    first, second, *later = sorted(problems)
    for day in (first, second):
        assert problems[day] == ["0 as-of dates whose next orders were known by then; 2 are needed"]
    assert len(later) >= 2
    assert all(problems[day] == [] for day in later)


def test_scores_are_what_the_fit_predicts(scored, fits, columns):
    assert len(scored) == scored[["customer_id", "as_of_date", "fitted_on"]].drop_duplicates().shape[0]
    for fitted_on, rows in scored.groupby("fitted_on"):
        probability = rows["learned_order_probability"].astype(float)
        if (fits[fitted_on]["metric"] == "problem").any():
            assert probability.isna().all()
        else:
            expected = predict(fits[fitted_on], rows)["probability"]
            np.testing.assert_allclose(probability, expected, rtol=0, atol=1e-12)
            assert probability.nunique() > len(rows) / 4


def test_scores_of_the_latest_date_come_from_the_latest_fit_with_parameters(demo, scored, fits):
    ((latest,),) = demo.rows("select as_of_date from staging.as_of_dates where is_latest")
    used = scored[scored["as_of_date"] == latest]["fitted_on"].unique()
    assert list(used) == [max(day for day in fits if day <= latest)]


def test_reasons_are_the_three_largest_contributions_with_the_customers_own_values(demo, scored, fits):
    reasons = demo.frame("select * from scores.next_order_reasons")
    rows = reasons.merge(scored, on=["customer_id", "as_of_date", "fitted_on"])
    assert len(rows) == len(reasons) > 1000
    fit = fits[rows["fitted_on"].iloc[0]]
    means = fit[fit["metric"] == "mean_contribution"].set_index("feature")["value"]
    moved = predict(fit, rows)[means.index] - means
    strongest = np.argsort(-moved.abs().to_numpy(), axis=1, kind="stable")
    for number in range(3):
        names = moved.columns[strongest[:, number]]
        told = rows[f"reason_{number + 1}"].str.extract(REASON)
        assert told["said"].tolist() == [WORDS[name]["says"] for name in names]
        own = np.array([rows.at[row, name] for row, name in enumerate(names)], dtype=float)
        unknown = (told["value"] == "unknown").to_numpy()
        assert (unknown == np.isnan(own)).all()
        shown = told["value"][~unknown]
        half_a_digit = shown.map(lambda value: 0.5 / 10 ** len(value.partition(".")[2])).to_numpy()
        assert (np.abs(shown.astype(float).to_numpy() - own[~unknown]) <= half_a_digit * 1.0001).all()
        raised = moved.to_numpy()[np.arange(len(rows)), strongest[:, number]] > 0
        assert ((told["sign"] == "more").to_numpy() == raised).all()


def test_a_fit_learns_from_the_latest_dates_whose_outcomes_were_over_a_week_before_it(demo):
    as_of_dates = [day for (day,) in demo.rows("select as_of_date from staging.as_of_dates order by 1")]
    fit_dates = [day for (day,) in demo.rows("select fitted_on from fits.fit_dates")]
    trained = demo.rows("select distinct fitted_on, as_of_date, outcome_until from fits.next_order_training")
    known_by_then = {
        (fitted_on, day, day + WINDOW)
        for fitted_on in fit_dates
        for day in [day for day in as_of_dates if day + WINDOW + GAP <= fitted_on][-MOST_DATES:]
    }
    assert set(trained) == known_by_then
    assert len({fitted_on for fitted_on, *_ in trained}) >= 2


def test_training_rows_are_the_features_of_their_date_and_the_orders_after_it(demo, columns):
    names = columns["feature"].tolist()
    training = demo.frame("select * from fits.next_order_training")
    known = demo.frame(values(columns))
    both = training.merge(known, on=["customer_id", "as_of_date"], suffixes=("", "_then"))
    assert len(both) == len(training)
    for name in names:
        pd.testing.assert_series_equal(both[name], both[f"{name}_then"], check_names=False)
    ordered = demo.frame("select customer_id, ordered_on from staging.stg_orders where is_counted")
    placed = training[["fitted_on", "as_of_date", "customer_id", "outcome_until"]].merge(
        ordered, on="customer_id"
    )
    inside = placed[
        (placed["ordered_on"] > placed["as_of_date"]) & (placed["ordered_on"] <= placed["outcome_until"])
    ]
    keys = ["fitted_on", "as_of_date", "customer_id"]
    assert set(inside[keys].itertuples(index=False)) == set(
        training[training["has_order"].astype(bool)][keys].itertuples(index=False)
    )


def test_the_list_of_features_is_behaviour_only(columns):
    assert not columns["value"].str.contains("attributes|reach").any()
    assert columns["value"].str.contains(r"features_(?:rfm|purchasing|browsing)\.").all()


@pytest.fixture(scope="module")
def compiled(project, tmp_path_factory) -> dict[str, str]:
    """The SQL of the score and of its reasons, from which no table was made."""
    nodes = ["fits_due", "score_next_order", "next_order_reasons"]
    outcome = project.dbt(tmp_path_factory.mktemp("compiled"), "compile", "--select", *nodes)
    assert outcome.success, outcome.message
    return {result.node.name: result.node.compiled_code for result in outcome.result.results}


EXTREMES = [None, 0.0, 1.0, 3.0, 250.0, 1e6, 1e9]


def test_scores_of_extreme_customers_are_what_the_fit_predicts(compiled):
    """Learned from plain customers, applied to values that no customer had, or that nobody knows."""
    rng = np.random.default_rng(1)
    day = date(2026, 1, 31)
    raw = [
        ("rfm", "days_since_last_order"),
        ("rfm", "days_since_first_purchase"),
        ("rfm", "interpurchase_count"),
        ("rfm", "orders_12m"),
        ("rfm", "days_between_last_orders"),
        ("rfm", "interpurchase_variation"),
        ("rfm", "average_order_value"),
        ("browsing", "days_since_last_visit"),
        ("browsing", "days_since_cart_left"),
    ]
    names = [name for _, name in raw]
    extreme = pd.DataFrame(rng.choice(np.array(EXTREMES, dtype=object), (500, len(raw))), columns=names)
    plain = pd.DataFrame(rng.exponential(50, (2000, len(raw))), columns=names).mask(
        rng.random((2000, len(raw))) < 0.1
    )
    people = pd.concat([extreme.astype(float), plain], ignore_index=True)
    people["customer_id"] = [f"c{number:04}" for number in range(len(people))]
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as shop; use shop")
        for schema in ("staging", "features", "fits", "scores"):
            connection.execute(f"create schema {schema}")
        connection.execute(
            f"create table staging.as_of_dates as select date '{day}' as as_of_date, true as is_latest"
        )
        connection.execute(f"create table fits.fit_dates as select date '{day}' as fitted_on")
        connection.execute(f"create table fits.fits_due as {compiled['fits_due']}")
        for model in ("rfm", "browsing"):
            own = ", ".join(name for of, name in raw if of == model)
            connection.execute(f"""
                create table features.features_{model} as
                select customer_id, date '{day}' as as_of_date, 1 as lifetime_orders, {own} from people
            """)
        connection.execute(f"""
            create table scores.fits_in_use as
            select date '{day}' as as_of_date, date '{day}' as fitted_on, date '{day}' as learned_on
        """)
        ((settings,),) = connection.execute(SETTINGS).fetchall()
        columns = declared(settings)
        valued = connection.execute(f"{values(columns)} order by customer_id").df()
        learned = valued.iloc[500:].assign(
            fitted_on=day,
            as_of_date=[date(2025, 10 + row % 3, 1) for row in range(2000)],
            has_order=rng.random(2000) < 0.4,
        )
        fit = fit_table(learned, read_features(columns.to_dict("records")), [day], 30)
        connection.execute("create table fits.fit_next_order as from fit")
        scores = connection.execute(
            f"select * from ({compiled['score_next_order']}) order by customer_id"
        ).df()
        reasons = connection.execute(
            f"select count(*), count(reason_3) from ({compiled['next_order_reasons']})"
        )
        assert reasons.fetchone() == (2500, 2500)
    expected = predict(fit, valued)["probability"]
    np.testing.assert_allclose(scores["learned_order_probability"], expected, rtol=0, atol=1e-12)
    assert scores["learned_order_probability"].between(0, 1).all()
