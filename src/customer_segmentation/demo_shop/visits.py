"""What the customers do online, from the visit to the purchase."""

import numpy as np
import pandas as pd

from customer_segmentation.demo_shop.calendar import day_at, time_of_day
from customer_segmentation.demo_shop.catalogue import choose_products
from customer_segmentation.demo_shop.chance import is_a, pick, rank_within, stream, traits
from customer_segmentation.demo_shop.customers import Consents
from customer_segmentation.demo_shop.tables import (
    ADD_TO_CART,
    APP,
    CHECKOUT,
    DAY,
    DAYS,
    EVENTS_FROM_DAY,
    LAST_SECOND,
    PURCHASE,
    REMOVE_FROM_CART,
    SEARCH,
    SOURCE_WEIGHTS,
    SOURCES,
    STORE,
    VIEW,
    VISIT,
    WEB,
)


def visits(
    clock: np.ndarray, people: pd.DataFrame, places: np.ndarray, orders: pd.DataFrame, created: np.ndarray
) -> pd.DataFrame:
    """One row per visit online: those that end in an order, and those that do not."""
    rng = stream("visits")
    kind = people["kind"].to_numpy()
    online = places[:, [WEB, APP]].sum(axis=1)
    came = np.maximum(created // DAY, EVENTS_FROM_DAY)
    stays = people["won_back_day"].to_numpy() < DAYS
    is_prospect = is_a("prospect", kind)
    leaves = np.where(stays | is_prospect, DAYS, np.minimum(people["last_day"].to_numpy() + 45, DAYS))
    months = (leaves - came).clip(min=0) / 30.4
    visiting = traits(kind, "visits") * rng.gamma(1.5, 1 / 1.5, len(people)) * online * ~people["is_guest"]
    customer = np.repeat(np.arange(len(people)), rng.poisson(visiting * months))
    began, ended = clock[kind, came][customer], clock[kind, leaves][customer]
    day = day_at(clock, kind[customer], began + rng.random(len(customer)) * (ended - began))
    profile = traits(kind[customer], "hours")
    second = day * DAY + time_of_day(rng, profile, people["usual_hour"].to_numpy()[customer])
    second = np.maximum(second, created[customer] + 30)
    channel = np.where(rng.random(len(customer)) * online[customer] < places[customer, APP], APP, WEB)
    leaves_cart = rng.random(len(customer)) < traits(kind[customer], "abandons")
    idle = pd.DataFrame(
        {
            "customer": customer,
            "channel": channel,
            "second": second,
            "order": -1,
            "carted": np.where(leaves_cart, 1 + rng.poisson(0.6, len(customer)), 0),
        }
    )
    tracked = orders[(orders["channel"] != STORE) & (orders["day"] >= EVENTS_FROM_DAY)]
    bought = tracked[["customer", "channel", "second"]].assign(order=tracked.index, carted=tracked["lines"])
    both = pd.concat([idle[idle["second"] <= LAST_SECOND], bought])
    return both.sort_values(["second", "customer"], kind="stable", ignore_index=True)


def views(
    people: pd.DataFrame,
    taste: np.ndarray,
    products: pd.DataFrame,
    sessions: pd.DataFrame,
    lines: pd.DataFrame,
) -> pd.DataFrame:
    """Products looked at in each visit: first those that were bought, then others to the customer's taste."""
    rng = stream("views")
    customer = sessions["customer"].to_numpy()
    kind = people["kind"].to_numpy()[customer]
    more = rng.poisson(traits(kind, "views"))
    more = np.where(sessions["order"] < 0, np.maximum(more, sessions["carted"]), more)
    session = np.repeat(np.arange(len(sessions)), more)
    who = customer[session]
    other = choose_products(rng, products, taste[who], people["tier"].to_numpy()[who])
    session_of_order = pd.Series(sessions.index, index=sessions["order"]).drop(-1)
    bought = lines[lines["order"].isin(session_of_order.index)]
    theirs = session_of_order.loc[bought["order"]].to_numpy()
    seen = pd.concat(
        [
            pd.DataFrame({"session": theirs, "product": bought["product"]}),
            pd.DataFrame({"session": session, "product": other}),
        ]
    )
    seen = seen.drop_duplicates().sort_values("session", kind="stable", ignore_index=True)
    return seen.assign(place=rank_within(seen["session"].to_numpy()))


def events(people: pd.DataFrame, sessions: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """One row per event: each visit runs from visit through search, view, cart and checkout to purchase."""
    rng = stream("events")
    number = np.arange(len(sessions))
    kind = people["kind"].to_numpy()[sessions["customer"]]
    has_order = (sessions["order"] >= 0).to_numpy()
    is_carted = (seen["place"] < sessions["carted"].to_numpy()[seen["session"]]).to_numpy()
    carted = seen[is_carted]
    first = carted[carted["place"] == 0]
    is_left = ~has_order[first["session"]]
    removed = first[is_left & (rng.random(len(first)) < 0.25)]
    checked = first[~is_left | (rng.random(len(first)) < 0.3)]
    searched = np.repeat(number, rng.poisson(traits(kind, "searches")))

    def step(
        kind_of_step: int, session: np.ndarray | pd.Series, product: pd.Series | int = -1
    ) -> pd.DataFrame:
        return pd.DataFrame({"session": session, "step": kind_of_step, "product": product})

    log = pd.concat(
        [
            step(VISIT, number),
            step(SEARCH, searched),
            step(VIEW, seen["session"], seen["product"]),
            step(ADD_TO_CART, carted["session"], carted["product"]),
            step(REMOVE_FROM_CART, removed["session"], removed["product"]),
            step(CHECKOUT, checked["session"]),
            step(PURCHASE, first["session"][~is_left], first["product"][~is_left]),
        ],
        ignore_index=True,
    )
    log["shuffle"] = rng.random(len(log))
    log = log.sort_values(["session", "step", "shuffle"], ignore_index=True).drop(columns="shuffle")
    gap = np.where(log["step"] == VISIT, 0, rng.integers(8, 95, len(log)))
    passed = pd.Series(gap).groupby(log["session"]).cumsum().to_numpy()
    whole = pd.Series(passed).groupby(log["session"]).transform("max").to_numpy()
    given = sessions["second"].to_numpy()[log["session"]]
    start = np.where(has_order[log["session"]], given - whole, np.minimum(given, LAST_SECOND - whole))
    return log.assign(second=start + passed)


def devices(rng: np.random.Generator, people: pd.DataFrame, sessions: pd.DataFrame) -> np.ndarray:
    """The device of each visit."""
    desktop = traits(people["kind"].to_numpy()[sessions["customer"]], "desktop")
    on_web = np.where(rng.random(len(sessions)) < desktop, "desktop", "mobile")
    on_web = np.where(rng.random(len(sessions)) < 0.04, "tablet", on_web)
    in_app = np.where(rng.random(len(sessions)) < 0.06, "tablet", "mobile")
    return np.where(sessions["channel"] == WEB, on_web, in_app)


def sources(rng: np.random.Generator, sessions: pd.DataFrame, consents: Consents) -> np.ndarray:
    """What led to each visit; e-mail and push lead only those who have agreed to them."""
    is_web = (sessions["channel"] == WEB).to_numpy()[:, None]
    weights = np.where(is_web, SOURCE_WEIGHTS[WEB], SOURCE_WEIGHTS[APP])
    drawn = SOURCES[pick(rng, weights)]
    customer, second = sessions["customer"].to_numpy(), sessions["second"].to_numpy()
    for channel in ("email", "push"):
        drawn = np.where((drawn == channel) & ~consents.holds(channel, customer, second), "direct", drawn)
    return drawn
