"""The inputs and the truth as text: numbers become identifiers, names and timestamps here."""

import numpy as np
import pandas as pd

from customer_segmentation.demo_shop.calendar import timestamps
from customer_segmentation.demo_shop.chance import stream, traits
from customer_segmentation.demo_shop.customers import Consents, profiles, versions
from customer_segmentation.demo_shop.tables import (
    CATEGORIES,
    CHANNELS,
    CONSENTS,
    DAY,
    DAYS,
    NEVER,
    STATUSES,
    STEPS,
    TYPES,
)
from customer_segmentation.demo_shop.visits import devices, sources


def names(letter: str, numbers: np.ndarray | pd.Index, digits: int) -> np.ndarray:
    """Identifiers such as C0042."""
    return np.array([f"{letter}{number:0{digits}d}" for number in np.asarray(numbers).tolist()], dtype=object)


def orders_text(orders: pd.DataFrame, order_id: np.ndarray, customer_id: np.ndarray) -> pd.DataFrame:
    """The input orders."""
    return pd.DataFrame(
        {
            "order_id": order_id,
            "customer_id": customer_id[orders["customer"]],
            "ordered_at": timestamps(orders["second"]),
            "amount": orders["amount"].astype(str),
            "discount_amount": orders["discount"].astype(str),
            "returned_amount": orders["returned"].astype(str),
            "returned_at": timestamps(orders["returned_second"]),
            "cost_amount": orders["cost"].astype(str),
            "status": STATUSES[orders["status"]],
            "channel": CHANNELS[orders["channel"]],
            "updated_at": timestamps(orders["updated"]),
        }
    )


def customers_text(people: pd.DataFrame, created: np.ndarray, customer_id: np.ndarray) -> pd.DataFrame:
    """The input customers: all but the guests, in all their versions."""
    customers = profiles(people, created)
    customers.insert(0, "customer_id", customer_id)
    known = versions(customers[~people["is_guest"]])
    return known.sort_values(["customer_id", "valid_from"], ignore_index=True)


def lines_text(lines: pd.DataFrame, order_id: np.ndarray, product_id: np.ndarray) -> pd.DataFrame:
    """The input order_items."""
    return pd.DataFrame(
        {
            "order_item_id": names("I", lines.index + 1, 5),
            "order_id": order_id[lines["order"]],
            "product_id": product_id[lines["product"]],
            "quantity": lines["quantity"].astype(str),
            "amount": lines["amount"].astype(str),
            "discount_amount": lines["discount"].astype(str),
        }
    )


def products_text(products: pd.DataFrame, product_id: np.ndarray) -> pd.DataFrame:
    """The input products."""
    return pd.DataFrame(
        {
            "product_id": product_id,
            "product_name": products["product_name"],
            "category": CATEGORIES["category"].to_numpy()[products["category"]],
            "brand": products["brand"],
            "updated_at": timestamps(products["updated"]),
        }
    )


def events_text(
    people: pd.DataFrame,
    sessions: pd.DataFrame,
    log: pd.DataFrame,
    consents: Consents,
    customer_id: np.ndarray,
    product_id: np.ndarray,
) -> pd.DataFrame:
    """The input events."""
    rng = stream("devices")
    session = log["session"].to_numpy()
    return pd.DataFrame(
        {
            "event_id": names("E", log.index + 1, 6),
            "customer_id": customer_id[sessions["customer"]][session],
            "occurred_at": timestamps(log["second"]),
            "event_type": STEPS[log["step"]],
            "session_id": names("S", sessions.index + 1, 5)[session],
            "product_id": np.where(log["product"] >= 0, product_id[log["product"]], ""),
            "device": devices(rng, people, sessions)[session],
            "channel": sources(rng, sessions, consents)[session],
        }
    )


def consents_text(consents: Consents, customer_id: np.ndarray) -> pd.DataFrame:
    """The input consents, in the order of time."""
    changes = [
        (consents.granted, "true"),
        (consents.refused, "false"),
        (consents.withdrawn, "false"),
        (consents.renewed, "true"),
    ]
    parts = []
    for seconds, is_granted in changes:
        customer, channel = np.nonzero(seconds < NEVER)
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": customer_id[customer],
                    "channel": np.array(list(CONSENTS))[channel],
                    "is_granted": is_granted,
                    "changed_at": timestamps(seconds[customer, channel]),
                }
            )
        )
    return pd.concat(parts).sort_values(["changed_at", "customer_id", "channel"], ignore_index=True)


def truth_text(
    people: pd.DataFrame, taste: np.ndarray, places: np.ndarray, customer_id: np.ndarray
) -> pd.DataFrame:
    """What is really so of each customer, which the models are never told."""
    kind = people["kind"].to_numpy()
    is_buyer = people["rate"].to_numpy() > 0
    stops = traits(kind, "lifetime") > 0
    lapsed = np.where(is_buyer & stops & (people["last_day"] < DAYS), people["last_day"] * DAY, NEVER)
    won_back = np.where(people["won_back_day"] < DAYS, people["won_back_day"] * DAY, NEVER)
    return pd.DataFrame(
        {
            "customer_id": customer_id,
            "latent_type": TYPES.index.to_numpy()[kind],
            "orders_per_year": np.char.mod("%.2f", people["rate"].to_numpy()),
            "regularity": np.char.mod("%.1f", traits(kind, "regularity")),
            "lapsed_on": [text[:10] for text in timestamps(lapsed)],
            "won_back_on": [text[:10] for text in timestamps(won_back)],
            "discount_share": np.char.mod("%.2f", people["discount"].to_numpy()),
            "price_tier": people["tier"].astype(str),
            "main_category": CATEGORIES["category"].to_numpy()[taste.argmax(axis=1)],
            "main_category_share": np.char.mod("%.2f", taste.max(axis=1)),
            "main_channel": CHANNELS[places.argmax(axis=1)],
            "is_guest": np.where(people["is_guest"], "true", "false"),
        }
    ).sort_values("customer_id", ignore_index=True)
