"""Compares ways to expect revenue, by how far off they are in each segment on holdouts in time.

    segmentation build --input cdnow
    python benchmarks/expected_revenue_models.py build/cdnow.duckdb

Every quarter's end whose outcome is known is a test of 90 days, and every as-of date whose year is over
one of 365. A model knows what was known on the date. `total` is what was expected over what came;
`by lifecycle` and `by rfm` the sum of what segments were off by, over what came; `new` and `lapsed` are the
ratios of these two segments, `dormant` among the lapsed.

    bg_nbd       as published: BG/NBD and Gamma-Gamma (Fader, Hardie and Lee 2005; Fader and Hardie 2013)
    mbg_nbd      a customer may leave right after the first purchase: for one-time buyers (Batislam, Denizel
                 and Filiztekin 2007, Int. J. of Research in Marketing 24(3), 201-209)
    pareto_nbd   a customer may leave at any moment (Schmittlein, Morrison and Colombo 1987)
    cohorts      BG/NBD for those who first bought in the last year, and for the others: for new customers
                 (Fader and Hardie 2007, "Fitting mixed models to multiple cohorts")
    recent       BG/NBD, and spend learned from the last twelve months: for spend that is not stationary
    shape        BG/NBD times a factor for each cell of recency and frequency score, by which it was off in
                 the 90 days before, at the level of BG/NBD
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import click
import duckdb
import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import betaln, expit, gammaln

from customer_segmentation.lifetime import bg_nbd, gamma_gamma, pareto_nbd
from customer_segmentation.lifetime.states import PurchaseStates, SpendStates

CUSTOMERS = """
    select
        rfm.customer_id, rfm.as_of_date,
        rfm.interpurchase_count::double as repeats,
        rfm.days_from_first_to_last_purchase / 7.0 as last,
        rfm.days_since_first_purchase / 7.0 as tenure,
        greatest(rfm.lifetime_revenue, 0)::double as revenue,
        greatest(rfm.revenue_12m, 0)::double as revenue_12m,
        coalesce(rfm.orders_12m, 0)::double as orders_12m,
        scores.recency_score * 10 + coalesce(scores.frequency_score, 0) as cell,
        assigned.lifecycle, assigned.rfm
    from features.features_rfm as rfm
    inner join segments.segment_assignments as assigned using (customer_id, as_of_date)
    left join (select * from scores.score_rfm where fitted_on = as_of_date) as scores
        using (customer_id, as_of_date)
    where rfm.days_since_first_purchase is not null
    order by all
"""
LONGEST_AGO = 52  # weeks since the first purchase, of the young cohort


def one_by_one(customers: pd.DataFrame) -> PurchaseStates:
    """Return the history of each customer."""
    columns = (customers[name].to_numpy(float) for name in ("repeats", "last", "tenure"))
    return PurchaseStates(*columns, np.ones(len(customers)))


def states(customers: pd.DataFrame) -> PurchaseStates:
    """Return the distinct histories, with how many have each."""
    counted = customers.groupby(["repeats", "last", "tenure"]).size().reset_index(name="customers")
    return PurchaseStates(*counted.to_numpy(float).T)


def of_module(module: object) -> Callable:
    """Return what a model of the project expects: purchases of each customer over some weeks."""

    def purchases(customers: pd.DataFrame, weeks: float) -> np.ndarray:
        parameters = module.Parameters(*module.fit(states(customers)).parameters)
        known = one_by_one(customers)
        alive = module.probability_alive(parameters, known)
        return alive * module.purchases_if_alive(parameters, known, weeks)

    return purchases


def modified(customers: pd.DataFrame, weeks: float) -> np.ndarray:
    """Return what MBG/NBD expects: BG/NBD with one more chance to leave, so with b + 1 of who is alive."""

    def log_odds_left(r: float, alpha: float, a: float, b: float, known: PurchaseStates) -> np.ndarray:
        silence = np.log(alpha + known.tenure) - np.log(alpha + known.last)
        return np.log(a / (b + known.repeats)) + (r + known.repeats) * silence

    def loss(logs: np.ndarray) -> float:
        r, alpha, a, b = np.exp(logs)
        x = seen.repeats
        alive = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + seen.tenure)
        alive += betaln(a, b + x + 1) - betaln(a, b)
        each = alive + np.logaddexp(0, log_odds_left(r, alpha, a, b, seen))
        return -float((seen.customers * each).sum() / seen.customers.sum())

    seen = states(customers)
    starts = ((0.5, 10, 0.5, 2), (2, 20, 0.5, 10), (0.2, 5, 1, 1))
    options = {"maxiter": 4000, "maxfev": 4000, "xatol": 1e-6, "fatol": 1e-9}
    ends = [minimize(loss, np.log(start), method="Nelder-Mead", options=options) for start in starts]
    r, alpha, a, b = np.exp(min(ends, key=lambda end: end.fun).x)
    known = one_by_one(customers)
    if_alive = bg_nbd.purchases_if_alive(bg_nbd.Parameters(r, alpha, a, b + 1), known, weeks)
    return expit(-log_odds_left(r, alpha, a, b, known)) * if_alive


def by_cohort(customers: pd.DataFrame, weeks: float) -> np.ndarray:
    """Return what BG/NBD expects that was fitted to the young and the old apart."""
    is_young = customers["tenure"].to_numpy() <= LONGEST_AGO
    found = np.zeros(len(customers))
    for cohort in (is_young, ~is_young):
        if cohort.any():
            found[cohort] = of_module(bg_nbd)(customers[cohort], weeks)
    return found


def spend(customers: pd.DataFrame, revenue: str, purchases: np.ndarray) -> np.ndarray:
    """Return the expected spend per purchase, by Gamma-Gamma learned from who came back."""
    mean = customers[revenue].to_numpy(float) / np.maximum(purchases, 1)
    learns = (customers["repeats"].to_numpy() > 0) & (mean > 0) & (purchases > 0)
    fitted = gamma_gamma.fit(SpendStates(purchases[learns], mean[learns], np.ones(learns.sum())))
    return gamma_gamma.expected_spend(gamma_gamma.Parameters(*fitted.parameters), purchases, mean)


class Shop:
    """Customers at as-of dates, and what they brought afterwards."""

    def __init__(self, database: Path):
        """Read a built database."""
        with duckdb.connect(str(database), read_only=True) as connection:
            self.customers = connection.execute(CUSTOMERS).df()
            self.days = connection.execute(
                "select customer_id, date_day, revenue::double as revenue from features.order_days"
            ).df()
        self.latest = self.customers["as_of_date"].max()

    def on(self, day: pd.Timestamp, horizon: int) -> pd.DataFrame:
        """Return the customers known on a day, with the revenue of the days after it."""
        until = day + timedelta(days=horizon)
        window = self.days[(self.days["date_day"] > day) & (self.days["date_day"] <= until)]
        found = self.customers[self.customers["as_of_date"] == day].reset_index(drop=True)
        came = found["customer_id"].map(window.groupby("customer_id")["revenue"].sum())
        return found.assign(came=came.fillna(0.0))

    def expected(self, day: pd.Timestamp, horizon: int) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
        """Return the customers of a day and what each model expects of them."""
        known, weeks = self.on(day, horizon), horizon / 7
        worth = spend(known, "revenue", known["repeats"].to_numpy() + 1)
        bg = of_module(bg_nbd)(known, weeks)
        found = {
            "bg_nbd": bg * worth,
            "mbg_nbd": modified(known, weeks) * worth,
            "pareto_nbd": of_module(pareto_nbd)(known, weeks) * worth,
            "cohorts": by_cohort(known, weeks) * worth,
            "recent": bg * spend(known, "revenue_12m", known["orders_12m"].to_numpy()),
        }
        earlier = [date for date in self.customers["as_of_date"].unique() if date + timedelta(days=90) <= day]
        if earlier:
            past = self.on(max(earlier), 90)
            was = of_module(bg_nbd)(past, 90 / 7) * spend(past, "revenue", past["repeats"].to_numpy() + 1)
            cells = past.assign(was=was).groupby("cell")[["was", "came"]].sum()
            usual = 20 * was.mean()  # as if twenty average customers of each cell had been as expected
            level = past["came"].sum() / was.sum()
            factors = (cells["came"] / level + usual) / (cells["was"] + usual)
            shaped = found["bg_nbd"] * known["cell"].map(factors).fillna(1).to_numpy()
            found["shape"] = shaped * found["bg_nbd"].sum() / shaped.sum()
        return known, found


@click.command()
@click.argument("database", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(database: Path) -> None:
    """Print how far each way to expect revenue was off on each holdout of a built DATABASE."""
    shop = Shop(database)
    rows = []
    for horizon in (90, 365):
        for day in sorted(shop.customers["as_of_date"].unique()):
            if day + timedelta(days=horizon) > shop.latest or (horizon == 90 and day.month % 3):
                continue
            known, found = shop.expected(day, horizon)
            for name, revenue in found.items():
                both = known.assign(expected=revenue)[["lifecycle", "rfm", "expected", "came"]]
                total = both["came"].sum()
                row = {"days": horizon, "date": f"{day:%Y-%m-%d}", "model": name}
                row["total"] = both["expected"].sum() / total
                for segmentation in ("lifecycle", "rfm"):
                    sums = both.groupby(segmentation)[["expected", "came"]].sum()
                    row[f"by {segmentation}"] = (sums["expected"] - sums["came"]).abs().sum() / total
                for segment in ("new", "lapsed"):
                    of = both[
                        both["lifecycle"].isin([segment, "dormant"] if segment == "lapsed" else [segment])
                    ]
                    row[segment] = of["expected"].sum() / of["came"].sum() if of["came"].sum() > 0 else np.nan
                row["rmse"] = np.sqrt(((both["expected"] - both["came"]) ** 2).mean())
                rows.append(row)
    table = pd.DataFrame(rows)
    click.echo(table.to_string(index=False, float_format=lambda value: f"{value:.3f}"))
    measures = [name for name in table if name not in ("days", "date", "model", "total", "new", "lapsed")]
    # of dates that all of them have
    counted = table.groupby(["days", "date"])["model"].transform("size")
    table = table[counted == counted.groupby(table["days"]).transform("max")]
    click.echo()
    click.echo(table.groupby(["days", "model"])[measures].mean().to_string(float_format=lambda v: f"{v:.3f}"))


if __name__ == "__main__":
    main()
