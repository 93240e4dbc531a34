"""The lifetime models against brute force, against simulated customers, and at the extremes."""

from collections.abc import Sequence
from datetime import date

import lifetime_formulas as formulas
import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from customer_segmentation.lifetime import bg_nbd, gamma_gamma, pareto_nbd
from customer_segmentation.lifetime.states import PurchaseStates
from customer_segmentation.lifetime.table import fit_table, relative_error, spend_relative_error

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("default::ResourceWarning"),  # of what other tests left to the collector
]

MODELS = {"bg_nbd": bg_nbd, "pareto_nbd": pareto_nbd}
# repeats, last and tenure in weeks: new, once and long ago, back at once, regular, regular and then silent
HISTORIES = np.array([(0, 0, 0), (0, 0, 80), (1, 0.14, 2), (6, 36, 39), (6, 12, 78)]).T
PARAMETERS = {
    "bg_nbd": [(0.243, 4.414, 0.793, 2.426), (1.4, 1.3, 0.2, 0.6), (3.0, 12.0, 4.0, 9.0)],
    "pareto_nbd": [(0.553, 10.58, 0.606, 11.67), (1.4, 1.3, 1.0, 20.0), (3.0, 2.0, 2.0, 60.0)],
}
CASES = [(name, parameters) for name, given in PARAMETERS.items() for parameters in given]

drawn = settings(deadline=None, derandomize=True, database=None, phases=[Phase.generate])


def by_brute_force(name: str, parameters: tuple, history: tuple, horizon: float) -> dict[str, float]:
    """Return what the model says of one history, summed over a fine grid of rates and of ways to leave."""
    shape, scale, first, second = parameters
    repeats, last, tenure = history
    rate_logs = np.linspace(-60, 8, 600)[:, None]
    rate = np.exp(rate_logs)
    prior = np.exp(stats.gamma.logpdf(rate, shape, scale=1 / scale) + rate_logs)
    if name == "bg_nbd":
        logits = np.linspace(-150, 60, 1400)[None, :]
        p, stays = 1 / (1 + np.exp(-logits)), 1 / (1 + np.exp(logits))
        prior = prior * p**first * stays**second / special.beta(first, second)
        alive = stays**repeats * rate**repeats * np.exp(-rate * tenure)
        left = p * stays ** (repeats - 1) * rate**repeats * np.exp(-rate * last) if repeats else 0.0
        purchases = -np.expm1(-rate * p * horizon) / p
        silent = np.exp(-rate * horizon)
    else:
        leaving_logs = np.linspace(-60, 8, 600)[None, :]
        leaving = np.exp(leaving_logs)
        prior = prior * np.exp(stats.gamma.logpdf(leaving, first, scale=1 / second) + leaving_logs)
        both = rate + leaving
        alive = rate**repeats * np.exp(-both * tenure)
        left = rate**repeats * leaving / both * (np.exp(-both * last) - np.exp(-both * tenure))
        purchases = rate * -np.expm1(-leaving * horizon) / leaving
        silent = (leaving + rate * np.exp(-both * horizon)) / both
    total = (prior * (alive + left)).sum()
    return {
        "alive": (prior * alive).sum() / total,
        "purchases": (prior * alive * purchases).sum() / total,
        "none": 1 - (prior * alive * (1 - silent)).sum() / total,
        "log_likelihood": np.log(total / prior.sum()),
    }


@pytest.mark.parametrize(("name", "parameters"), CASES)
def test_formulas_are_what_summing_over_all_customers_gives(name: str, parameters: tuple):
    model, states, horizon = MODELS[name], formulas.purchase_states(*HISTORIES), 26.0
    computed = {
        "alive": model.probability_alive(parameters, states),
        "purchases": formulas.expected_purchases(model, parameters, states, horizon),
        "none": formulas.probability_no_purchase(model, parameters, states, horizon),
        "log_likelihood": formulas.log_likelihood(model, parameters, states),
    }
    for number, history in enumerate(HISTORIES.T):
        for what, summed in by_brute_force(name, parameters, tuple(history), horizon).items():
            assert computed[what][number] == pytest.approx(summed, rel=2e-6), (what, history)


@pytest.mark.parametrize(("name", "parameters"), CASES)
def test_no_purchase_is_a_longer_silence(name: str, parameters: tuple):
    model, states = MODELS[name], formulas.purchase_states(*HISTORIES)
    longer = states._replace(tenure=states.tenure + 13)
    ratio = np.exp(
        formulas.log_likelihood(model, parameters, longer)
        - formulas.log_likelihood(model, parameters, states)
    )
    assert formulas.probability_no_purchase(model, parameters, states, 13) == pytest.approx(ratio, rel=1e-8)


@pytest.mark.parametrize("name", MODELS)
def test_the_variance_is_that_of_simulated_futures(name: str):
    parameters = {"bg_nbd": (1.4, 3.0, 1.2, 2.6), "pareto_nbd": (1.4, 3.0, 1.5, 20.0)}[name]
    new = formulas.purchase_states(0, 0, 0)
    repeats = simulate(name, parameters, np.full(400_000, 30.0), seed=1)[0]
    # the fourth moment says how far the variance of the sample may be off
    error = np.sqrt((((repeats - repeats.mean()) ** 2 - repeats.var()) ** 2).mean() / len(repeats))
    variance = formulas.purchase_variance(MODELS[name], parameters, new, 30.0)[0]
    assert abs(variance - repeats.var()) < 3 * error
    assert error < variance / 50


def simulate(name: str, parameters: tuple, tenure: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the repeats, and the time of the last of them, of customers who live by the model."""
    chance = np.random.default_rng(seed)
    shape, scale, first, second = parameters
    customers = len(tenure)
    rate = chance.gamma(shape, 1 / scale, customers)
    if name == "bg_nbd":
        lives = np.full(customers, np.inf)
        leaving = chance.beta(first, second, customers)
    else:
        lives = chance.exponential(1 / chance.gamma(first, 1 / second, customers))
        leaving = np.zeros(customers)
    repeats, last, now = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    buying = np.arange(customers)
    while buying.size:
        now[buying] += chance.exponential(1 / rate[buying])
        buying = buying[now[buying] <= np.minimum(tenure, lives)[buying]]
        repeats[buying] += 1
        last[buying] = now[buying]
        buying = buying[chance.random(buying.size) >= leaving[buying]]
    return repeats, last


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_found_again(name: str):
    truth = {"bg_nbd": (0.6, 4.0, 0.9, 3.0), "pareto_nbd": (0.6, 4.0, 0.9, 20.0)}[name]
    tenure = np.random.default_rng(5).uniform(0, 104, 10_000)
    fit = MODELS[name].fit(formulas.purchase_states(*simulate(name, truth, tenure, seed=2), tenure))
    errors = np.sqrt(np.diag(fit.covariance))
    assert fit.converged
    assert (errors < 0.15).all()
    assert (np.abs(np.log(fit.parameters) - np.log(truth)) < 3 * errors).all()


def test_spend_parameters_are_found_again():
    chance, (p, q, v) = np.random.default_rng(3), (4.0, 3.5, 20.0)
    purchases = 1 + chance.poisson(2, 10_000)
    mean_spend = chance.gamma(p * purchases) / (purchases * chance.gamma(q, 1 / v, len(purchases)))
    fit = gamma_gamma.fit(formulas.spend_states(purchases, mean_spend))
    errors = np.sqrt(np.diag(fit.covariance))
    assert (np.abs(np.log(fit.parameters) - np.log([p, q, v])) < 3 * errors).all()


def test_the_relative_error_is_how_far_fits_scatter():
    truth, horizon, customers = (0.25, 4.4, 0.8, 2.4), 52.0, 1_000
    tenure = np.random.default_rng(7).uniform(27, 39, customers)
    judged = formulas.purchase_states(*simulate("bg_nbd", truth, tenure, seed=99), tenure)
    foreseen, claimed = [], []
    for seed in range(30):
        fit = bg_nbd.fit(formulas.purchase_states(*simulate("bg_nbd", truth, tenure, seed), tenure))
        foreseen.append(formulas.expected_purchases(bg_nbd, fit.parameters, judged, horizon).sum())
        claimed.append(relative_error(bg_nbd, fit, judged, horizon))
    assert np.std(np.log(foreseen)) == pytest.approx(np.median(claimed), rel=0.3)


def test_the_relative_error_of_spend_is_how_far_what_is_expected_of_the_same_customers_scatters():
    """Parameters drawn from their distribution instead of the slope of the sum in them."""
    draw = np.random.default_rng(8)
    purchases = 1.0 + draw.poisson(2, 6000) + 1
    states = formulas.spend_states(
        purchases, draw.gamma(6 * purchases, 15 / draw.gamma(4, 1, 6000)) / purchases
    )
    fit = gamma_gamma.fit(states)
    weights = states.customers * states.purchases
    sums = [
        (weights * gamma_gamma.expected_spend(np.exp(logs), states.purchases, states.mean_spend)).sum()
        for logs in draw.multivariate_normal(np.log(fit.parameters), fit.covariance, 2000)
    ]
    assert np.std(np.log(sums)) == pytest.approx(spend_relative_error(fit, states), rel=0.1)


@pytest.mark.parametrize(("name", "parameters"), CASES)
@pytest.mark.parametrize("days", [365, 1095])
def test_present_value_is_the_integral(name: str, parameters: tuple, days: int):
    model, states = MODELS[name], formulas.purchase_states(*HISTORIES)

    def expected(until: float) -> np.ndarray:
        return formulas.expected_purchases(model, parameters, states, until / 7)

    daily = np.log1p(0.1) / 365
    # in the square root of time, where new customers' purchases rise evenly
    weighted = integrate.quad_vec(
        lambda root: 2 * root * np.exp(-daily * root**2) * expected(root**2), 0, np.sqrt(days)
    )[0]
    exact = np.exp(-daily * days) * expected(days) + daily * weighted
    assert formulas.discounted_purchases(expected, days, 0.1) == pytest.approx(exact, rel=3e-4)
    assert (formulas.discounted_purchases(expected, days, 0.0) == expected(days)).all()


@pytest.mark.parametrize(("purchases", "mean_spend"), [(1, 40.0), (3, 15.0), (50, 80.0)])
def test_spend_formulas_are_the_integrals(purchases: int, mean_spend: float):
    p, q, v = parameters = (6.25, 3.74, 15.44)

    def integral(power: int) -> float:
        """Return the integral of the density of the history times a power of the mean spend p / nu."""

        def density(nu: float) -> float:
            history = stats.gamma.pdf(mean_spend, p * purchases, scale=1 / (nu * purchases))
            return (p / nu) ** power * history * stats.gamma.pdf(nu, q, scale=1 / v)

        return integrate.quad(density, 0, 5, epsabs=0, epsrel=1e-10, limit=500)[0]

    likelihood = integral(0)
    state = formulas.spend_states(purchases, mean_spend)
    assert gamma_gamma.log_likelihood(parameters, state)[0] == pytest.approx(np.log(likelihood))
    assert gamma_gamma.expected_spend(parameters, purchases, mean_spend) == pytest.approx(
        integral(1) / likelihood
    )
    assert formulas.squared_spend(parameters, purchases, mean_spend) == pytest.approx(
        integral(2) / likelihood
    )


def logs(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(np.log(low), np.log(high)).map(lambda log: float(np.exp(log)))


@st.composite
def histories(draw, most: int = 8) -> PurchaseStates:
    """Draw histories as extreme as they come: everything at once, one day old, thousands of purchases."""
    rows = []
    for _ in range(draw(st.integers(1, most))):
        tenure = draw(st.one_of(st.just(0), st.integers(0, 60), st.integers(0, 20_000)))
        last = draw(st.integers(0, tenure))
        repeats = draw(st.one_of(st.just(1), st.integers(1, last))) if last else 0
        rows.append((repeats, last / 7, tenure / 7, draw(st.one_of(st.just(1), st.integers(1, 10**7)))))
    return formulas.purchase_states(*np.array(rows, float).T)


@settings(drawn, max_examples=150)
@given(
    states=histories(),
    first=st.tuples(logs(1e-3, 1e3), logs(1e-3, 1e5)),
    second=st.tuples(logs(1e-3, 1e3), logs(1e-3, 1e5)),
    horizon=logs(1 / 7, 520),
)
@pytest.mark.parametrize("name", MODELS)
def test_whatever_the_parameters_what_is_said_of_a_customer_is_possible(name, states, first, second, horizon):
    model, parameters = MODELS[name], (*first, *second)
    alive = model.probability_alive(parameters, states)
    none = formulas.probability_no_purchase(model, parameters, states, horizon)
    expected = formulas.expected_purchases(model, parameters, states, horizon)
    variance = formulas.purchase_variance(model, parameters, states, horizon)
    for values in (alive, none, expected, variance, formulas.log_likelihood(model, parameters, states)):
        assert np.isfinite(values).all()
    assert ((alive >= 0) & (alive <= 1) & (none >= -1e-12) & (none <= 1)).all()
    rate = (parameters[0] + states.repeats) / (parameters[1] + states.tenure)
    most = alive * rate * horizon
    slack = 1e-6 * most + 1e-12
    assert (1 - none <= expected + slack).all()
    assert (expected <= most + slack).all()
    assert (expected <= formulas.expected_purchases(model, parameters, states, 2 * horizon) + slack).all()
    assert (variance >= -slack * (1 + most)).all()


EXTREMES = {
    "one customer, once": [(0, 0, 90, 1)],
    "one customer, one repeat": [(1, 10, 90, 1)],
    "all alike": [(2, 30, 60, 500)],
    "all new": [(0, 0, 0, 500)],
    "nobody came back": [(0, 0, days, 10) for days in range(0, 300, 10)],
    "everybody came back on the next day and never again": [(1, 1, days, 10) for days in range(10, 300, 10)],
    "every day until today": [(days, days, days, 10) for days in range(1, 300, 10)],
    "huge counts": [(5_000, 9_990, 10_000, 10**7), (0, 0, 10_000, 10**7), (1, 50, 9_000, 10**7)],
}


@pytest.mark.parametrize("extreme", EXTREMES)
@pytest.mark.parametrize("name", MODELS)
def test_extreme_customers_give_a_fit_or_a_reason(name: str, extreme: str):
    repeats, last, tenure, customers = np.array(EXTREMES[extreme], float).T
    assert_sound(MODELS[name].fit(formulas.purchase_states(repeats, last / 7, tenure / 7, customers)))


@settings(drawn, max_examples=12)
@given(states=histories(most=20))
@pytest.mark.parametrize("name", MODELS)
def test_any_customers_give_a_fit_or_a_reason(name: str, states: PurchaseStates):
    assert_sound(MODELS[name].fit(states))


@pytest.mark.parametrize(
    "spend",
    [
        [(1, 10.0, 1)],
        [(1, 10.0, 500)],
        [(n, 10.0, 5) for n in range(1, 50)],
        [(1, 1e-4, 5), (3, 1e9, 5)],
        [(1, 10.0 * 1.5**n, 5) for n in range(40)],
        [(5_000, 10.0, 10**7), (1, 30.0, 10**7)],
    ],
)
def test_extreme_spend_gives_a_fit_or_a_reason(spend: list[tuple]):
    states = formulas.spend_states(*np.array(spend, float).T)
    fit = gamma_gamma.fit(states)
    assert_sound(fit)
    if fit.converged:
        expected = gamma_gamma.expected_spend(fit.parameters, states.purchases, states.mean_spend)
        assert ((expected > 0) & np.isfinite(expected)).all()
        # who spent nothing is expected to spend something
        assert 0 < gamma_gamma.expected_spend(fit.parameters, 1, 0.0) <= expected.max()


def assert_sound(fit) -> None:
    assert np.isfinite(fit.log_likelihood)
    assert np.isfinite(fit.parameters).all()
    assert np.isfinite(fit.covariance).all()
    assert fit.converged == (fit.problem is None)


def test_who_never_leaves_is_a_limit_and_no_failure():
    tenure = np.random.default_rng(1).uniform(20, 60, 2_000)
    repeats, last = simulate("pareto_nbd", (2.0, 4.0, 1.0, 1e9), tenure, seed=1)
    for model in MODELS.values():
        fit = model.fit(formulas.purchase_states(repeats, last, tenure))
        assert fit.converged
        assert model.NOBODY_LEAVES in fit.limits
        assert fit.parameters[:2] == pytest.approx((2.0, 4.0), rel=0.1)


def test_who_all_spend_the_same_are_a_limit_and_no_failure():
    fit = gamma_gamma.fit(formulas.spend_states(np.arange(1, 50), np.full(49, 12.0)))
    assert fit.limits == (
        "a customer spends the same at each purchase",
        "all customers spend the same on average",
    )
    assert gamma_gamma.expected_spend(fit.parameters, 5, 12.0) == pytest.approx(12.0, rel=0.01)


def test_spend_in_another_currency_is_the_same_fit():
    chance = np.random.default_rng(1)
    purchases, spend = chance.integers(1, 9, 500), chance.gamma(3.0, 10.0, 500)
    fit, dearer = (gamma_gamma.fit(formulas.spend_states(purchases, spend * unit)) for unit in (1, 1300))
    assert dearer.parameters == pytest.approx([*fit.parameters[:2], fit.parameters[2] * 1300], rel=1e-6)


def frames(fitted_on: date, customers: int, repeaters: int, days: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return histories and spend of so many customers, the first of whom came so many days ago."""
    numbers = np.arange(customers)
    tenure = days - numbers % (days // 2)
    repeats = np.where(numbers < repeaters, 1 + numbers % 5, 0)
    last = np.where(repeats > 0, 1 + tenure * (1 + numbers % 7) // 9, 0)
    purchases = pd.DataFrame(
        {
            "fitted_on": pd.Timestamp(fitted_on),
            "repeat_purchases": repeats,
            "last_purchase_days": last,
            "tenure_days": tenure,
            "customers": 1,
        }
    )
    back = repeats > 0
    spend = pd.DataFrame(
        {
            "fitted_on": pd.Timestamp(fitted_on),
            "purchases": repeats[back] + 1,
            "mean_spend": 10.0 + numbers[back] % 13,
            "customers": 1,
        }
    )
    return purchases, spend


def fit(both: Sequence[pd.DataFrame], name: str = "bg_nbd") -> pd.DataFrame:
    purchases, spend = both
    return fit_table(purchases["fitted_on"].unique(), purchases, spend, name)


def problems(table: pd.DataFrame) -> dict[str, str]:
    rows = table[table["parameter"] == "problem"]
    assert rows["value"].isna().all()
    assert len(rows) == table["model"].isin(rows["model"]).sum()  # nothing else is said of such a fit
    return dict(zip(rows["model"], rows["note"], strict=True))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    ("customers", "repeaters", "days", "problem"),
    [
        (199, 150, 300, "199 customers; 200 are needed"),
        (300, 38, 300, "38 repeat customers; 50 are needed"),
        (300, 150, 83, "83 days of history; 84 are needed"),
        (300, 150, 84, None),
    ],
)
def test_too_little_data_leaves_one_row_that_says_so(name, customers, repeaters, days, problem):
    table = fit(frames(date(2026, 1, 31), customers, repeaters, days), name)
    assert problems(table).get(name) == problem
    assert ("gamma_gamma" in problems(table)) == (repeaters < 50)
    assert table.columns.tolist() == ["fitted_on", "model", "parameter", "value", "note"]


def test_a_fit_date_stands_alone():
    good, bad = frames(date(2025, 12, 31), 400, 200, 200), frames(date(2026, 1, 31), 120, 20, 200)
    both = fit([pd.concat([b, a]) for a, b in zip(good, bad, strict=True)])
    pd.testing.assert_frame_equal(
        both[both["fitted_on"] == pd.Timestamp("2025-12-31")].reset_index(drop=True),
        fit(good),
        check_exact=True,
    )
    assert set(both["parameter"][both["fitted_on"] == pd.Timestamp("2026-01-31")]) == {"problem"}


@pytest.mark.parametrize("name", MODELS)
def test_the_order_of_the_rows_changes_no_digit(name: str):
    both = frames(date(2026, 1, 31), 400, 200, 200)
    tables = [fit([frame.sample(frac=1, random_state=seed) for frame in both], name) for seed in (1, 2)]
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_the_error_of_revenue_has_that_of_purchases_and_that_of_spend():
    fitted = (
        fit(frames(date(2026, 1, 31), 400, 200, 200)).dropna(subset="value").set_index("parameter")["value"]
    )
    for horizon in (90, 365):
        of_purchases, of_spend = fitted[f"relative_error_{horizon}d"], fitted["relative_error"]
        assert min(of_purchases, of_spend) > 0
        assert fitted[f"revenue_relative_error_{horizon}d"] == pytest.approx(np.hypot(of_purchases, of_spend))


def test_a_date_without_customers_has_rows_that_say_so():
    nothing = [frame.iloc[:0] for frame in frames(date(2026, 1, 31), 200, 100, 200)]
    table = fit_table([pd.Timestamp("2026-01-31")], *nothing, "bg_nbd")
    assert problems(table) == {
        "bg_nbd": "0 customers; 200 are needed",
        "gamma_gamma": "0 repeat customers with revenue; 50 are needed",
    }
    assert fit_table([], *nothing, "bg_nbd").empty
