"""The whole demo shop, put together step by step."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from customer_segmentation.demo_shop.calendar import clocks
from customer_segmentation.demo_shop.catalogue import catalogue
from customer_segmentation.demo_shop.customers import decide_consents, registrations
from customer_segmentation.demo_shop.orders import order_lines, order_times, settle
from customer_segmentation.demo_shop.people import population
from customer_segmentation.demo_shop.text import (
    consents_text,
    customers_text,
    events_text,
    lines_text,
    names,
    orders_text,
    products_text,
    truth_text,
)
from customer_segmentation.demo_shop.visits import events, views, visits


@dataclass(frozen=True)
class Shop:
    """The demo shop as text: its inputs without any flaw, and the truth behind them."""

    inputs: dict[str, pd.DataFrame]
    truth: pd.DataFrame


def make_shop() -> Shop:
    """Let the shop live through its three years."""
    clock, products = clocks(), catalogue()
    people, taste, places = population(clock)
    orders = order_times(clock, people, places)
    lines = order_lines(orders, people, taste, products)
    orders = settle(orders, lines).assign(lines=lines.groupby("order").size())
    created = registrations(people, orders)
    consents = decide_consents(people, created, places)
    sessions = visits(clock, people, places, orders, created)
    seen = views(people, taste, products, sessions, lines)
    log = events(people, sessions, seen)

    customer_id = names("C", created.argsort(kind="stable").argsort() + 1, 4)
    product_id = names("P", np.arange(len(products)) + 1, 3)
    order_id = names("O", orders.index + 1, 5)
    inputs = {
        "orders": orders_text(orders, order_id, customer_id),
        "customers": customers_text(people, created, customer_id),
        "order_items": lines_text(lines, order_id, product_id),
        "products": products_text(products, product_id),
        "events": events_text(people, sessions, log, consents, customer_id, product_id),
        "consents": consents_text(consents, customer_id),
    }
    return Shop(
        {name: frame.astype(object) for name, frame in inputs.items()},
        truth_text(people, taste, places, customer_id),
    )
