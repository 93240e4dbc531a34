"""What the customers order, and what becomes of it."""

import numpy as np
import pandas as pd

from customer_segmentation.demo_shop.calendar import day_at, time_of_day
from customer_segmentation.demo_shop.catalogue import choose_products
from customer_segmentation.demo_shop.chance import pick, stream, traits
from customer_segmentation.demo_shop.tables import (
    CANCELLED,
    CATEGORIES,
    COMPLETED,
    DAY,
    DAYS,
    LAST_SECOND,
    LONGEST_SPELL,
    NEVER,
    PENDING,
    REFUNDS_WITH_SHIPPING,
    RETURNED,
    SAMPLE_ORDERS,
    SHIPPING,
    START,
    STORE,
    TYPES,
)


def spells(rng: np.random.Generator, clock: np.ndarray, people: pd.DataFrame) -> pd.DataFrame:
    """Order days of customers who start on first_day and stop after last_day, each in their own rhythm."""
    kind = people["kind"].to_numpy()
    shape = traits(kind, "regularity")[:, None]
    gaps = rng.gamma(shape, 1 / shape, (len(people), LONGEST_SPELL))
    gaps *= 365 / people["rate"].to_numpy()[:, None]
    gaps[:, 0] = 0
    began = clock[kind, people["first_day"]][:, None] + 0.01
    shop_time = (began + gaps.cumsum(axis=1)).ravel()
    customer = np.repeat(people.index.to_numpy(), LONGEST_SPELL)
    day = day_at(clock, np.repeat(kind, LONGEST_SPELL), shop_time)
    kept = (day < DAYS) & (day <= np.repeat(people["last_day"].to_numpy(), LONGEST_SPELL))
    first_of_many = np.tile(np.arange(LONGEST_SPELL) == 0, len(people))
    once = TYPES["lifetime"].to_numpy()[np.repeat(kind, LONGEST_SPELL)] == 0
    kept &= first_of_many | ~once
    return pd.DataFrame({"customer": customer[kept], "day": day[kept]})


def order_times(clock: np.ndarray, people: pd.DataFrame, places: np.ndarray) -> pd.DataFrame:
    """One row per order: customer, channel and second, in the order of time."""
    rng = stream("orders")
    buyers = people[people["rate"] > 0]
    won_back = buyers[buyers["won_back_day"] < DAYS]
    again = won_back.assign(first_day=won_back["won_back_day"], last_day=DAYS)
    orders = pd.concat([spells(rng, clock, buyers), spells(rng, clock, again)], ignore_index=True)
    customer = orders["customer"].to_numpy()
    orders["channel"] = pick(rng, places[customer])
    habit = traits(people["kind"].to_numpy()[customer], "hours")
    profile = np.where(orders["channel"] == STORE, "store", habit)
    usual = people["usual_hour"].to_numpy()[customer]
    orders["second"] = orders["day"] * DAY + time_of_day(rng, profile, usual)
    forgotten = orders[(rng.random(len(orders)) < 0.012) & (orders["second"] % DAY < 20 * 3600)]
    once = traits(people["kind"].to_numpy()[forgotten["customer"]], "lifetime") == 0
    forgotten = forgotten[~once]
    seconds_on_the_same_day = forgotten["second"] + rng.integers(600, 3 * 3600, len(forgotten))
    orders = pd.concat([orders, forgotten.assign(second=seconds_on_the_same_day)])
    return orders.sort_values(["second", "customer"], kind="stable", ignore_index=True)


def order_lines(
    orders: pd.DataFrame, people: pd.DataFrame, taste: np.ndarray, products: pd.DataFrame
) -> pd.DataFrame:
    """One row per product of an order: units, list price, discount and cost, all in won."""
    rng = stream("lines")
    kind = people["kind"].to_numpy()[orders["customer"]]
    count = (1 + rng.poisson(traits(kind, "lines") - 1)).clip(max=12)
    order = np.repeat(np.arange(len(orders)), count)
    customer = orders["customer"].to_numpy()[order]
    product = choose_products(rng, products, taste[customer], people["tier"].to_numpy()[customer])
    lines = pd.DataFrame({"order": order, "customer": customer, "product": product})
    lines = lines.drop_duplicates(["order", "product"], ignore_index=True)
    category = products["category"].to_numpy()[lines["product"]]
    more = traits(people["kind"].to_numpy()[lines["customer"]], "units")
    lines["quantity"] = 1 + rng.poisson(more * CATEGORIES["bulk"].to_numpy()[category])
    lines["list"] = products["price"].to_numpy()[lines["product"]] * lines["quantity"]
    percent = reductions(rng, orders, people)[lines["order"]]
    lines["discount"] = lines["list"] * percent // 100 // 100 * 100
    lines["cost"] = (lines["list"] * CATEGORIES["cost"].to_numpy()[category]).round(-2).astype(int)
    lines["return_rate"] = CATEGORIES["returned"].to_numpy()[category]
    return give_samples(rng, lines)


def reductions(rng: np.random.Generator, orders: pd.DataFrame, people: pd.DataFrame) -> np.ndarray:
    """Percent off the list price of each order; more often and deeper in November and for the keen."""
    keen = people["discount"].to_numpy()[orders["customer"]]
    month = (START + orders["day"].to_numpy()).astype("datetime64[M]").astype(int) % 12 + 1
    chance = (keen * np.where(month == 11, 1.6, 1.0)).clip(max=0.97)
    steps = np.array([5, 10, 15, 20, 30])
    drawn = (rng.random(len(orders)) * 3 + keen * 2.5).astype(int).clip(0, 4)
    return np.where(rng.random(len(orders)) < chance, steps[drawn], 0)


def give_samples(rng: np.random.Generator, lines: pd.DataFrame) -> pd.DataFrame:
    """Turn some cheap orders of one unit into free samples: all of the list price is taken off."""
    alone = ~lines["order"].duplicated(keep=False) & (lines["quantity"] == 1) & (lines["list"] < 20_000)
    samples = rng.choice(np.flatnonzero(alone), SAMPLE_ORDERS, replace=False)
    lines.loc[samples, "discount"] = lines.loc[samples, "list"]
    return lines.assign(amount=lines["list"] - lines["discount"])


def settle(orders: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Add to each order its sums and what became of it: completed, pending, cancelled or returned."""
    rng = stream("settle")
    size = len(orders)
    is_online = (orders["channel"] != STORE).to_numpy()
    second = orders["second"].to_numpy()
    sums = lines.groupby("order")[["amount", "discount", "cost"]].sum()
    orders = pd.concat([orders, sums], axis="columns")

    status = np.where(is_online & (rng.random(size) < 0.03), CANCELLED, COMPLETED)
    status = np.where(is_online & (orders["day"] >= DAYS - 3) & (rng.random(size) < 0.7), PENDING, status)
    back = (orders["day"] + rng.integers(2, 15, size)) * DAY + rng.integers(9 * 3600, 18 * 3600, size)
    may_return = (status == COMPLETED) & (back <= LAST_SECOND) & (orders["amount"] > 0)
    line_order = lines["order"].to_numpy()
    ease = np.where(is_online, 1.1, 0.5)[line_order]
    sent_back = may_return.to_numpy()[line_order] & (rng.random(len(lines)) < ease * lines["return_rate"])
    returned = lines["amount"].where(sent_back, 0).groupby(line_order).sum().to_numpy(copy=True)
    in_full = (returned > 0) & (returned == orders["amount"])
    with_shipping = rng.choice(np.flatnonzero(in_full & is_online), REFUNDS_WITH_SHIPPING, replace=False)
    returned[with_shipping] += SHIPPING

    done = np.where(is_online, second + rng.integers(DAY, 4 * DAY, size), second)
    done = np.where(status == COMPLETED, done, second + np.where(is_online, rng.integers(60, 3600, size), 0))
    return orders.assign(
        status=np.where(in_full, RETURNED, status),
        returned=returned,
        returned_second=np.where(returned > 0, back, NEVER),
        updated=np.where(returned > 0, back, done).clip(max=LAST_SECOND),
    )
