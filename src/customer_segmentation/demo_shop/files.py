"""The files of the demo shop, and the business in a few figures."""

import gzip
import io

import pandas as pd

from customer_segmentation.demo_shop.flaws import expected_rejections, mix
from customer_segmentation.demo_shop.shop import Shop


def pack(frame: pd.DataFrame) -> bytes:
    """A frame as compressed CSV, without the time and the file name that gzip would add."""
    text = frame.to_csv(index=False, lineterminator="\n").encode()
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as packed:
        packed.write(text)
    return buffer.getvalue()


def make_files(shop: Shop) -> dict[str, bytes]:
    """The files of the demo shop by name."""
    files = {f"{name}.csv.gz": pack(mix(name, good)) for name, good in shop.inputs.items()}
    files["truth.csv.gz"] = pack(shop.truth)
    files["expected_rejections.csv"] = expected_rejections().to_csv(index=False, lineterminator="\n").encode()
    return files


def summary(shop: Shop) -> str:
    """The business in a few figures, from the good rows; cancelled and returned orders do not count."""
    orders = shop.inputs["orders"].merge(shop.truth, on="customer_id")
    orders = orders[orders["status"].isin(["completed", "pending"])]
    orders = orders.assign(revenue=orders["amount"].astype(int) - orders["returned_amount"].astype(int))
    spend = orders.groupby("customer_id")["revenue"].sum().sort_values(ascending=False)
    frequency = orders.groupby("customer_id").size()
    persons = orders[orders["latent_type"] != "business"]
    yearly = orders.groupby(orders["ordered_at"].str[:4])["revenue"].sum()
    by_type = (
        pd.DataFrame(
            {
                "customers": shop.truth.groupby("latent_type").size(),
                "orders": orders.groupby("latent_type").size(),
                "revenue_m": orders.groupby("latent_type")["revenue"].sum() / 1e6,
                "order_value_k": orders.groupby("latent_type")["revenue"].mean() / 1e3,
            }
        )
        .fillna(0)
        .round(1)
        .astype({"orders": int})
        .sort_values("revenue_m", ascending=False)
    )
    facts = [("rows of " + name, f"{len(frame):,}") for name, frame in shop.inputs.items()]
    facts += [
        ("customers with an order", f"{len(spend):,}"),
        *((f"revenue {year}, million won", f"{won / 1e6:,.1f}") for year, won in yearly.items()),
        ("order value of persons, won", f"{persons['revenue'].mean():,.0f}"),
        ("median order value of persons, won", f"{persons['revenue'].median():,.0f}"),
        ("median orders of a customer", f"{frequency.median():.0f}"),
        ("repeat rate", f"{100 * (frequency > 1).mean():.1f} %"),
        (
            "share of the top 20 % in revenue",
            f"{100 * spend.head(len(spend) // 5).sum() / spend.sum():.1f} %",
        ),
        ("share of orders with a discount", f"{100 * orders['discount_amount'].ne('0').mean():.1f} %"),
        (
            "cost against revenue",
            f"{100 * orders['cost_amount'].astype(int).sum() / orders['revenue'].sum():.1f} %",
        ),
    ]
    width = max(len(name) for name, _ in facts)
    return "\n".join([*(f"{name:<{width}}  {value:>12}" for name, value in facts), "", by_type.to_string()])
