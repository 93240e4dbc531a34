"""What the demo shop sells, and which of it a customer chooses."""

import numpy as np
import pandas as pd

from customer_segmentation.demo_shop.chance import pick, stream
from customer_segmentation.demo_shop.tables import (
    BRAND_LEVELS,
    CATEGORIES,
    DAY,
    GOODS,
    LAST_SECOND,
    ODD_NAMES,
    OFFERS_PER_GOOD,
)


def catalogue() -> pd.DataFrame:
    """One row per product: its names, category number, list price and popularity."""
    rng = stream("catalogue")
    rows = []
    for number, slug in enumerate(CATEGORIES.index):
        brands, descriptions, goods = (words.split() for words in GOODS[slug])
        for place, good in enumerate(goods):
            noun, thousands = good.replace("_", " ").split(":")
            for level in sorted((place + offset) % len(brands) for offset in range(OFFERS_PER_GOOD)):
                name = f"{brands[level]} {descriptions[rng.integers(len(descriptions))]} {noun}"
                price = float(thousands) * BRAND_LEVELS[level] * (0.9 + 0.2 * rng.random())
                rows.append((name, number, brands[level], max(round(price), 2) * 1000 - 100))
    products = pd.DataFrame(rows, columns=["product_name", "category", "brand", "price"])
    products["popularity"] = (rng.permutation(len(products)) + 4.0) ** -0.6
    for row, name in zip(rng.choice(len(products), len(ODD_NAMES), replace=False), ODD_NAMES, strict=True):
        products.loc[row, "product_name"] = name
    products["updated"] = rng.integers(-30 * DAY, LAST_SECOND, len(products))
    return products


def choose_products(
    rng: np.random.Generator, products: pd.DataFrame, taste: np.ndarray, tier: np.ndarray
) -> np.ndarray:
    """For each row of taste (weights of categories) a product, dearer for a higher price tier (0 to 4)."""
    category = products["category"].to_numpy()
    level = np.log(products["price"].to_numpy())
    by_category = pd.Series(level).groupby(category)
    standing = (level - by_category.transform("mean").to_numpy()) / by_category.transform("std").to_numpy()
    wanted = pick(rng, taste)
    drawn = rng.random(len(wanted))
    chosen = np.empty(len(wanted), int)
    for this_tier in range(5):
        weights = products["popularity"].to_numpy() * np.exp(0.6 * (this_tier - 2) * standing)
        bounds = np.r_[0.0, weights.cumsum()]
        first = bounds[np.searchsorted(category, np.arange(len(CATEGORIES)), side="left")]
        last = bounds[np.searchsorted(category, np.arange(len(CATEGORIES)), side="right")]
        mine = tier == this_tier
        point = first[wanted] + drawn * (last - first)[wanted]
        chosen[mine] = np.searchsorted(bounds, point[mine], side="right") - 1
    return chosen.clip(max=len(products) - 1)
