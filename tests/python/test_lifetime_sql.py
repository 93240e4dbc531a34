"""The SQL of lifetime value, compiled and run in memory: scores are what the functions of the package say."""

from collections.abc import Callable
from datetime import date, timedelta

import duckdb
import lifetime_formulas as formulas
import numpy as np
import pandas as pd
import pytest

from customer_segmentation.lifetime import bg_nbd, gamma_gamma, pareto_nbd

MODELS = {"bg_nbd": bg_nbd, "pareto_nbd": pareto_nbd}
NODES = ["lifetime_states", "purchases_if_alive", "score_lifetime"]
HORIZON, RATE, CHURN, NEXT = 1095, 0.1, 90, 30
AS_OF = date(2026, 1, 31)

# repeat purchases, days from the first to the last, days since the first, net revenue
History = tuple[int, int, int, float]
HISTORIES: list[History] = [
    (0, 0, 0, 10),
    (0, 0, 1, 0),
    (0, 0, 900, 35.5),
    (1, 1, 1, 20),
    (1, 30, 31, 0),
    (1, 1, 1500, 20),
    (3, 200, 210, 120),
    (7, 40, 400, 5000),
    (30, 880, 900, 10),
    (250, 700, 730, 9000),
    (250, 300, 730, 9000),
    (2000, 2900, 2920, 123456),
]
# as fitted to CDNOW and to Complete Journey, and at the bounds of the models
PARAMETERS = {
    "bg_nbd": [
        (0.243, 4.414, 0.793, 2.426),
        (1.391, 1.346, 0.028, 26.45),
        (0.5, 6.0, 0.001, 1.0),
        (0.5, 6.0, 0.05, 0.01),
        (2.0, 0.1, 3.0, 0.2),
        (1000.0, 5000.0, 1000.0, 3000.0),
        (0.05, 200.0, 1000.0, 1e6),
        (1.5, 1.5, 0.5, 5e4),
    ],
    "pareto_nbd": [
        (0.553, 10.578, 0.606, 11.669),
        (1.409, 1.345, 1000.0, 1060705.0),
        (0.5, 6.0, 0.001, 0.01),
        (0.5, 6.0, 0.001, 1e5),
        (2.0, 0.1, 1.0, 1.0),
        (2.0, 0.1, 2.0, 500.0),
        (0.05, 200.0, 3.0, 1.0),
        (1000.0, 5000.0, 1.000001, 30.0),
    ],
}
SPEND = (6.25, 3.74, 15.44)
PER_PURCHASE, PER_PURCHASE_VARIANCE, MARGIN = 1.2, 0.3, 0.4

Sql = Callable[..., dict[str, list[dict]]]


@pytest.fixture(scope="module")
def sql(project, tmp_path_factory) -> Sql:
    """Run the models on these histories under each of these parameters; rows in the order of both."""
    folder = tmp_path_factory.mktemp("lifetime")
    compiled = {}
    for name in MODELS:
        variables = {"value_horizon_days": HORIZON, "discount_rate": RATE, "churn_days": CHURN}
        variables |= {"next_order_days": NEXT, "lifetime_model": name}
        outcome = project.dbt(folder, "compile", "--select", *NODES, **variables)
        assert outcome.success, outcome.message
        compiled[name] = {result.node.name: result.node for result in outcome.result.results}

    def run(name: str, parameters: list[tuple], histories: list[History]) -> dict:
        fits = [AS_OF - timedelta(number) for number in range(len(parameters))]
        with duckdb.connect() as connection:
            connection.execute("attach ':memory:' as shop; use shop")
            connection.execute("create schema features; create schema fits; create schema scores")
            connection.execute("""
                create table features.features_rfm (
                    customer_id integer, as_of_date date, interpurchase_count integer,
                    days_from_first_to_last_purchase integer, days_since_first_purchase integer,
                    lifetime_revenue decimal(18, 4)
                );
                create table fits.fits_due (fit string, fitted_on date);
                create table scores.fits_in_use (as_of_date date, fitted_on date, learned_on date);
                create table fits.fit_lifetime (fitted_on date, model string, parameter string, value double);
                create table fits.fit_order_ratios (
                    fitted_on date, orders_per_purchase double, orders_per_purchase_variance double,
                    margin_share double
                )
            """)
            columns = ["repeats", "last", "tenure", "revenue"]
            rows = pd.DataFrame(histories, columns=columns).reset_index(names="customer_id")
            connection.register(
                "rows", rows.assign(as_of_date=AS_OF)[["customer_id", "as_of_date", *columns]]
            )
            connection.execute("insert into features.features_rfm from rows")
            connection.execute("insert into fits.fits_due values ('fit_lifetime', ?)", [AS_OF])
            for end in ("first", "last"):
                connection.execute(f"set variable {end}_date = date '{AS_OF}'")
            ratios = [PER_PURCHASE, PER_PURCHASE_VARIANCE, MARGIN]
            for fitted_on, values in zip(fits, parameters, strict=True):
                pairs = [(name, *pair) for pair in zip(MODELS[name].Parameters._fields, values, strict=True)]
                pairs += [("gamma_gamma", *pair) for pair in zip("pqv", SPEND, strict=True)]
                fit = [(fitted_on, *pair) for pair in pairs]
                connection.executemany("insert into fits.fit_lifetime values (?, ?, ?, ?)", fit)
                connection.execute("insert into scores.fits_in_use values ($1, $1, $2)", [AS_OF, fitted_on])
                connection.execute(
                    "insert into fits.fit_order_ratios values (?, ?, ?, ?)", [fitted_on, *ratios]
                )
            tables = {}
            for node in NODES:
                relation, code = compiled[name][node].relation_name, compiled[name][node].compiled_code
                connection.execute(f"create table {relation} as {code}")
                order = "fitted_on desc, customer_id" if node == "score_lifetime" else "all"
                cursor = connection.execute(f"from {relation} order by {order}")
                columns = [column[0] for column in cursor.description]
                tables[node] = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
            return tables

    return run


def computed(name: str, parameters: tuple, histories: list[History]) -> dict[str, np.ndarray]:
    """Return the scores from the functions of the package."""
    model = MODELS[name]
    repeats, last, tenure, revenue = np.array(histories, float).T
    states = formulas.purchase_states(repeats, last / 7, tenure / 7)

    def purchases(days: float) -> np.ndarray:
        return formulas.expected_purchases(model, parameters, states, days / 7)

    value = gamma_gamma.expected_spend(SPEND, repeats + 1, revenue / (repeats + 1))
    squared = formulas.squared_spend(SPEND, repeats + 1, revenue / (repeats + 1))
    scores = {
        "expected_order_value": value / PER_PURCHASE,
        "lifetime_value": formulas.discounted_purchases(purchases, HORIZON, RATE) * value * MARGIN,
        "churn_probability": formulas.probability_no_purchase(model, parameters, states, CHURN / 7),
        "lifetime_order_probability": 1
        - formulas.probability_no_purchase(model, parameters, states, NEXT / 7),
    }
    for days in (90, 365):
        count, variance = purchases(days), formulas.purchase_variance(model, parameters, states, days / 7)
        of_revenue = squared * (variance + count**2 + count / SPEND[0]) - (count * value) ** 2
        scores |= {
            f"expected_orders_{days}d": count * PER_PURCHASE,
            f"expected_revenue_{days}d": count * value,
            f"expected_margin_{days}d": count * value * MARGIN,
            f"expected_orders_{days}d_variance": variance * PER_PURCHASE**2 + count * PER_PURCHASE_VARIANCE,
            f"expected_revenue_{days}d_variance": of_revenue,
        }
    return scores


@pytest.mark.parametrize("name", MODELS)
def test_sql_gives_what_the_functions_give(sql: Sql, name: str):
    rows = iter(sql(name, PARAMETERS[name], HISTORIES)["score_lifetime"])
    for parameters in PARAMETERS[name]:
        scores = computed(name, parameters, HISTORIES)
        for number, history in enumerate(HISTORIES):
            row = next(rows)
            for column, values in scores.items():
                # a variance is a difference, and takes the error of both of its parts
                allowed = {"rel": 1e-4} if column.endswith("variance") else {"rel": 1e-6, "abs": 1e-10}
                assert row[column] == pytest.approx(values[number], **allowed), (column, parameters, history)


@pytest.mark.parametrize("name", MODELS)
def test_the_longer_the_silence_the_less_is_expected(sql: Sql, name: str):
    silences = [(5, 300 - silence, 300, 200) for silence in range(0, 295, 5)]
    rows = sql(name, PARAMETERS[name][:1], silences)["score_lifetime"]
    for column in (
        "expected_orders_90d",
        "expected_revenue_365d",
        "lifetime_value",
        "lifetime_order_probability",
    ):
        assert (np.diff([row[column] for row in rows]) < 0).all()
    assert (np.diff([row["churn_probability"] for row in rows]) > 0).all()


def test_too_many_histories_are_taken_together_in_weeks_and_keep_their_mean(sql: Sql):
    # silent for 0 or 3 days, in each week of tenure: more than Pareto/NBD is given, in weeks few enough
    days = [(1, 7 * week + 3 - silent, 7 * week + 3, 10.0) for week in range(2, 25_002) for silent in (0, 3)]
    states = sql("pareto_nbd", PARAMETERS["pareto_nbd"][:1], days)["lifetime_states"]
    assert len(states) == 25_000
    for number, row in enumerate(states):
        tenure = 7 * (number + 2) + 3
        assert row == {
            "fitted_on": AS_OF,
            "repeat_purchases": 1,
            "last_purchase_days": tenure - 1.5,
            "tenure_days": tenure,
            "customers": 2,
            "resolution_days": 7,
        }
