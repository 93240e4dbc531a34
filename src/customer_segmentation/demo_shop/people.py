"""The customers of the demo shop as they really are."""

import numpy as np
import pandas as pd

from customer_segmentation.demo_shop.calendar import day_at
from customer_segmentation.demo_shop.chance import dirichlet, is_a, pick, rank_within, stream, traits
from customer_segmentation.demo_shop.tables import (
    CATEGORIES,
    CHANNELS,
    DAYS,
    GUESTS,
    HOUR_WEIGHTS,
    MOST_ORDERS_PER_YEAR,
    TYPES,
)


def population(clock: np.ndarray) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """One row per customer with all that drives them, their tastes, and where they order."""
    rng = stream("population")
    kind = np.repeat(np.arange(len(TYPES)), TYPES["people"])
    size = len(kind)
    share = rng.random(size) ** (1 / traits(kind, "growth"))
    joined = traits(kind, "joins_from") + share * (traits(kind, "joins_to") - traits(kind, "joins_from"))
    first_day = day_at(clock, kind, joined * clock[kind, -1]).clip(max=DAYS - 1)
    rate = traits(kind, "per_year") * rng.gamma(3.0, 1 / 3.0, size).clip(min=0.25)
    lifetime = rng.exponential(365 * traits(kind, "lifetime"), size).astype(int)
    loyal_then_lost = is_a("lapsed_loyal", kind)
    last_day = np.where(loyal_then_lost, rng.integers(DAYS - 600, DAYS - 150, size), first_day + lifetime)
    returns_day = rng.integers(DAYS - 110, DAYS - 5, size)
    is_won_back = loyal_then_lost & (rng.random(size) < 0.3)
    people = pd.DataFrame(
        {
            "kind": kind,
            "first_day": first_day,
            "last_day": np.where(last_day < DAYS, last_day, DAYS),
            "won_back_day": np.where(is_won_back, returns_day, DAYS),
            "rate": rate.clip(max=MOST_ORDERS_PER_YEAR),
            "tier": (traits(kind, "price") + rng.normal(0, 0.8, size)).round().clip(0, 4).astype(int),
            "discount": (traits(kind, "deals") * (0.6 + 0.8 * rng.random(size))).clip(max=0.95),
            "usual_hour": pick(rng, HOUR_WEIGHTS.loc[traits(kind, "hours")].to_numpy()),
            "is_business": is_a("business", kind),
            "is_female": rng.random(size) < traits(kind, "women"),
            "age": rng.normal(traits(kind, "age"), 9.0).round().clip(17, 88).astype(int),
            "is_guest": rank_within(kind) < np.where(is_a("one_and_done", kind), GUESTS, 0),
        }
    )
    people["is_married"] = rng.random(size) < traits(kind, "married") * np.where(people["age"] < 27, 0.2, 1.1)
    at_parenting_age = people["age"].between(29, 52) & people["is_married"]
    people["children"] = np.where(at_parenting_age, rng.choice(4, size, p=[0.3, 0.36, 0.28, 0.06]), 0)
    return people, tastes(rng, people), where_they_order(rng, people)


def tastes(rng: np.random.Generator, people: pd.DataFrame) -> np.ndarray:
    """Weight of each category for each customer: what the type loves, the person, and chance."""
    kind = people["kind"].to_numpy()
    loved = np.array([[slug in loves.split(",") for slug in CATEGORIES.index] for loves in TYPES["loves"]])
    leaning = CATEGORIES["women"].to_numpy() ** np.where(people["is_female"], 1.0, -1.0)[:, None]
    leaning = np.where(people["is_business"].to_numpy()[:, None], 1.0, leaning)
    usual = CATEGORIES["weight"].to_numpy() / CATEGORIES["weight"].sum()
    weights = (0.6 * usual + 0.4 * loved / loved.sum(axis=1, keepdims=True))[kind] * leaning
    weights *= np.where(CATEGORIES.index == "kids", 0.2 + people["children"].to_numpy()[:, None], 1.0)
    shares = weights / weights.sum(axis=1, keepdims=True)
    return dirichlet(rng, shares * 12 / traits(kind, "focus")[:, None])


def where_they_order(rng: np.random.Generator, people: pd.DataFrame) -> np.ndarray:
    """Share of store, web and app in the orders of each customer; guests only come to the stores."""
    mix = TYPES[list(CHANNELS)].to_numpy()[people["kind"]]
    mix = np.where(people["is_guest"].to_numpy()[:, None], [1.0, 0.0, 0.0], mix)
    return dirichlet(rng, 4 * mix)
