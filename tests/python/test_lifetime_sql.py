"""The scores of lifetime value, compiled and run in memory, are what the functions of the package say."""

from datetime import date, timedelta

import duckdb
import numpy as np
import pytest

from customer_segmentation.lifetime import bg_nbd, gamma_gamma, pareto_nbd
from customer_segmentation.lifetime.discount import discounted_purchases
from customer_segmentation.lifetime.states import purchase_states

MODELS = ["lifetime_parameters", "purchases_if_alive", "score_lifetime"]
HORIZON, RATE, CHURN, NEXT = 1095, 0.1, 90, 30
AS_OF = date(2026, 1, 31)

# repeat purchases, days from the first to the last, days since the first, net revenue
HISTORIES = [
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
# what was fitted to CDNOW and to Complete Journey, and what lies at the bounds of the models
PURCHASES = {
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


def scores(project, folder, model: str, histories=HISTORIES, parameters=None) -> list[dict]:
    """Return the scores of these histories under each of these parameters, in the order of both."""
    compiled = project.dbt(
        folder,
        "compile",
        "--select",
        *MODELS,
        lifetime_model=model,
        value_horizon_days=HORIZON,
        discount_rate=RATE,
        churn_days=CHURN,
        next_order_days=NEXT,
    )
    assert compiled.success, compiled.message
    nodes = {result.node.name: result.node for result in compiled.result.results}
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
            create table fits.fits_in_use (as_of_date date, learned_on date);
            create table fits.fit_lifetime (
                fitted_on date, model string, parameter string, value double, note string
            );
            create table fits.fit_order_ratios (
                fitted_on date, orders_per_purchase double, orders_per_purchase_variance double,
                margin_share double
            )
        """)
        connection.executemany(
            "insert into features.features_rfm values (?, ?, ?, ?, ?, ?)",
            [(number, AS_OF, *history) for number, history in enumerate(histories)],
        )
        for fitted_on, values in zip(fits, parameters, strict=True):
            names = {"bg_nbd": bg_nbd, "pareto_nbd": pareto_nbd}[model].Parameters._fields
            rows = [(fitted_on, model, *pair, None) for pair in zip(names, values, strict=True)]
            rows += [(fitted_on, "gamma_gamma", *pair, None) for pair in zip("pqv", SPEND, strict=True)]
            connection.executemany("insert into fits.fit_lifetime values (?, ?, ?, ?, ?)", rows)
            connection.execute("insert into fits.fits_in_use values (?, ?)", [AS_OF, fitted_on])
            ratios = [fitted_on, PER_PURCHASE, PER_PURCHASE_VARIANCE, MARGIN]
            connection.execute("insert into fits.fit_order_ratios values (?, ?, ?, ?)", ratios)
        for name in MODELS:
            connection.execute(f"create table {nodes[name].relation_name} as {nodes[name].compiled_code}")
        cursor = connection.execute("from scores.score_lifetime order by fitted_on desc, customer_id")
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def expected(model, parameters, histories=HISTORIES) -> dict[str, np.ndarray]:
    """Return the same from the functions of the package."""
    repeats, last, tenure, revenue = np.array(histories, float).T
    states = purchase_states(repeats, last / 7, tenure / 7)

    def purchases(days: float) -> np.ndarray:
        return model.expected_purchases(parameters, states, days / 7)

    mean = revenue / (repeats + 1)
    value = gamma_gamma.expected_spend(SPEND, repeats + 1, mean)
    squared = gamma_gamma.squared_spend(SPEND, repeats + 1, mean)
    result = {
        "expected_order_value": value / PER_PURCHASE,
        "lifetime_value": discounted_purchases(purchases, HORIZON, RATE) * value * MARGIN,
        "churn_probability": model.probability_no_purchase(parameters, states, CHURN / 7),
        "lifetime_order_probability": 1 - model.probability_no_purchase(parameters, states, NEXT / 7),
    }
    for days in (90, 365):
        count, variance = purchases(days), model.purchase_variance(parameters, states, days / 7)
        result |= {
            f"expected_orders_{days}d": count * PER_PURCHASE,
            f"expected_revenue_{days}d": count * value,
            f"expected_margin_{days}d": count * value * MARGIN,
            f"expected_orders_{days}d_variance": variance * PER_PURCHASE**2 + count * PER_PURCHASE_VARIANCE,
            f"expected_revenue_{days}d_variance": (
                squared * (variance + count**2 + count / SPEND[0]) - (count * value) ** 2
            ),
        }
    return result


@pytest.mark.parametrize("name", PURCHASES)
def test_sql_gives_what_the_functions_give(project, tmp_path, name: str):
    rows = iter(scores(project, tmp_path, name, parameters=PURCHASES[name]))
    for parameters in PURCHASES[name]:
        values = expected({"bg_nbd": bg_nbd, "pareto_nbd": pareto_nbd}[name], parameters)
        for number, history in enumerate(HISTORIES):
            row = next(rows)
            for column, computed in values.items():
                assert row[column] == pytest.approx(computed[number], rel=1e-6, abs=1e-12), (
                    column,
                    parameters,
                    history,
                )
