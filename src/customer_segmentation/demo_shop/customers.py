"""What the shop knows of its customers: when they registered, what they told, what they agreed to."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from customer_segmentation.demo_shop.calendar import timestamps
from customer_segmentation.demo_shop.chance import is_a, pick, stream, traits
from customer_segmentation.demo_shop.tables import (
    AGE_BANDS,
    APP,
    CITIES,
    CONSENTS,
    DAY,
    INCOME_BANDS,
    INDUSTRIES,
    LAST_SECOND,
    LATEST,
    NEVER,
    STORE,
)


def registrations(people: pd.DataFrame, orders: pd.DataFrame) -> np.ndarray:
    """The second in which each customer became known: before the first order, and after the start."""
    rng = stream("registrations")
    first = orders.groupby("customer")["second"].min().reindex(people.index)
    first_channel = orders.groupby("customer")["channel"].first().reindex(people.index)
    lead = rng.exponential(traits(people["kind"].to_numpy(), "known_before") * DAY) + 5400
    at_the_till = rng.integers(240, 1800, len(people))
    lead = np.where(first_channel == STORE, at_the_till, lead)
    without_order = people["first_day"] * DAY + rng.integers(7 * 3600, 23 * 3600, len(people))
    return np.where(first.isna(), without_order, first - np.minimum(lead, 0.9 * first)).astype(int)


def is_disclosed(rng: np.random.Generator, people: pd.DataFrame, ease: float) -> np.ndarray:
    """Whether each customer has stated a thing that is told with the given ease."""
    return rng.random(len(people)) < traits(people["kind"].to_numpy(), "disclosed") * ease


def profiles(people: pd.DataFrame, created: np.ndarray) -> pd.DataFrame:
    """What the customers have told of themselves; much is missing, as in life."""
    rng = stream("profiles")
    size = len(people)
    is_person = ~people["is_business"].to_numpy()
    born = LATEST - (people["age"].to_numpy() * 365.25).astype(int) - rng.integers(0, 365, size)
    gave_birth_date = is_person & is_disclosed(rng, people, 0.9)
    age_band = np.array(AGE_BANDS)[np.searchsorted([18, 25, 35, 45, 55, 65], people["age"], side="right")]
    gender = np.where(rng.random(size) < 0.01, "other", np.where(people["is_female"], "female", "male"))
    marital = np.where(people["is_married"], "married", np.where(rng.random(size) < 0.08, "other", "single"))
    household = 1 + people["is_married"] + people["children"] + (rng.random(size) < 0.15)
    means = people["tier"] * 0.7 + people["is_married"] + (people["age"] - 25) / 25 + rng.normal(0, 0.6, size)
    home = np.where(rng.random(size) < 0.01 * people["age"], "owner", "renter")
    home = np.where(rng.random(size) < 0.05, "other", home)
    employees = (4 * np.exp(rng.normal(1.2, 1.1, size))).astype(int) + 1

    is_capital_area = CITIES["region"].isin(["서울특별시", "경기도"])
    weight = CITIES["population"].to_numpy() * np.where(is_capital_area, 1.4, 1.0)
    place = pick(rng, np.broadcast_to(weight, (size, len(weight))))
    lives = is_disclosed(rng, people, 1.05)
    edited = created + (rng.random(size) ** 2 * (LAST_SECOND - created)).astype(int)

    def told(values: np.ndarray | pd.Series, condition: np.ndarray) -> np.ndarray:
        return np.where(condition, np.asarray(values).astype(str), "")

    return pd.DataFrame(
        {
            "created_at": timestamps(created),
            "kind": told(np.where(is_person, "person", "business"), ~is_person | (rng.random(size) < 0.97)),
            "birth_date": told(born, gave_birth_date),
            "age_band": told(age_band, is_person & ~gave_birth_date & is_disclosed(rng, people, 0.7)),
            "gender": told(gender, is_person & is_disclosed(rng, people, 1.1)),
            "marital_status": told(marital, is_person & is_disclosed(rng, people, 0.7)),
            "household_size": told(household, is_person & is_disclosed(rng, people, 0.65)),
            "children": told(people["children"], is_person & is_disclosed(rng, people, 0.65)),
            "income_band": told(
                np.array(INCOME_BANDS)[means.round().clip(0, 4).astype(int)],
                is_person & is_disclosed(rng, people, 0.5),
            ),
            "home_ownership": told(home, is_person & is_disclosed(rng, people, 0.5)),
            "industry": told(rng.choice(INDUSTRIES, size), ~is_person & is_disclosed(rng, people, 1.05)),
            "employees": told(employees, ~is_person & is_disclosed(rng, people, 0.95)),
            "country": told(np.full(size, "KR"), lives),
            "region": told(CITIES["region"].to_numpy()[place], lives),
            "city": told(CITIES.index.to_numpy()[place], lives),
            "city_population": told(CITIES["population"].to_numpy()[place], lives),
            "updated_at": timestamps(edited),
        }
    )


def versions(latest: pd.DataFrame) -> pd.DataFrame:
    """The profiles and what was known before: some have moved, had a child or told more of themselves.

    Takes one row per customer, gives one per customer and version; each holds from its `valid_from` on.
    """
    rng = stream("versions")
    created, edited = (latest[name].to_numpy(dtype="datetime64[s]") for name in ("created_at", "updated_at"))
    drawn = np.where(edited - created > np.timedelta64(30, "D"), rng.random(len(latest)), 1.0)
    elsewhere = CITIES.reset_index().iloc[rng.integers(0, len(CITIES), len(latest))].astype(str)
    earlier = latest.assign(updated_at=latest["created_at"])

    moved = (drawn < 0.12) & latest["city"].ne("")
    place = {"city": "city", "region": "region", "city_population": "population"}
    for name, column in place.items():
        earlier[name] = np.where(moved, elsewhere[column].to_numpy(), latest[name])
    had_a_child = (drawn >= 0.12) & (drawn < 0.20) & latest["children"].isin(["1", "2", "3"])
    for name in ("children", "household_size"):
        persons = pd.to_numeric(latest[name], errors="coerce")
        fewer = (persons - 1).where(persons > 0).astype("Int64").astype(str).replace("<NA>", "")
        earlier[name] = np.where(had_a_child, fewer, latest[name])
    told_more = (drawn >= 0.20) & (drawn < 0.30)
    for name in ("marital_status", "household_size", "children", "income_band", "home_ownership"):
        earlier[name] = np.where(told_more, "", earlier[name])

    has_changed = earlier.drop(columns="updated_at").ne(latest.drop(columns="updated_at")).any(axis="columns")
    now = latest.assign(valid_from=latest["updated_at"].where(has_changed, latest["created_at"]))
    both = pd.concat([earlier[has_changed].assign(valid_from=latest["created_at"]), now])
    both["updated_at"] = both.pop("updated_at")  # last, as in the other inputs
    return both


@dataclass(frozen=True)
class Consents:
    """When each customer (row) gave and withdrew consent for each channel (column), in seconds."""

    granted: np.ndarray
    refused: np.ndarray
    withdrawn: np.ndarray
    renewed: np.ndarray

    def holds(self, channel: str, customer: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Whether the customer may be contacted on the channel in that second."""
        column = list(CONSENTS).index(channel)
        granted, withdrawn = self.granted[customer, column], self.withdrawn[customer, column]
        return ((granted <= second) & (second < withdrawn)) | (self.renewed[customer, column] <= second)


def decide_consents(people: pd.DataFrame, created: np.ndarray, places: np.ndarray) -> Consents:
    """Consents are given or refused at registration; some are withdrawn later, a few are given again."""
    rng = stream("consents")
    shape = (len(people), len(CONSENTS))
    kind = people["kind"].to_numpy()
    chance = np.array(list(CONSENTS.values())) * traits(kind, "consents")[:, None]
    uses_app = places[:, [APP]] > 0.05
    is_business = people["is_business"].to_numpy()[:, None]
    channel = np.array(list(CONSENTS))
    chance = np.where((channel == "push") & ~uses_app, 0.0, chance)
    chance = np.where((channel == "phone") & is_business, 0.6, chance)
    chance = np.where(people["is_guest"].to_numpy()[:, None], 0.0, chance)
    drawn = rng.random(shape)
    at = created[:, None] + rng.integers(0, 120, shape)
    granted = np.where(drawn < chance, at, NEVER)
    asked = (drawn > 0.85) & (chance > 0)
    refused = np.where((granted == NEVER) & asked, at, NEVER)
    fed_up = rng.random(shape) < 0.16 + 0.18 * is_a("lapsed_loyal", kind)[:, None]
    later = granted + (rng.exponential(240, shape) * DAY).astype(int) + DAY
    withdrawn = np.where(fed_up & (later <= LAST_SECOND), later, NEVER)
    later = withdrawn + (rng.exponential(120, shape) * DAY).astype(int) + 5 * DAY
    renewed = np.where((rng.random(shape) < 0.15) & (later <= LAST_SECOND), later, NEVER)
    return Consents(granted, refused, withdrawn, renewed)
