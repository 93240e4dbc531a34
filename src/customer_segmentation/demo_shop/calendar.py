"""Time in the demo shop: busy and dull days, the hours of a day, and seconds as text."""

import numpy as np
import pandas as pd

from customer_segmentation.demo_shop.chance import pick
from customer_segmentation.demo_shop.tables import DAYS, HOLIDAYS, HOUR_WEIGHTS, NEVER, START, TYPES


def season() -> np.ndarray:
    """How busy each day is against the average: holidays, November, the summer dip."""
    days = START + np.arange(DAYS)
    month = days.astype("datetime64[M]").astype(int) % 12 + 1
    day = (days - days.astype("datetime64[M]")).astype(int) + 1
    busy = np.select([month == 11, month == 12, month == 1, month == 8], [1.45, 1.15, 0.88, 0.80], 1.0)
    busy *= np.where((month == 11) & (np.abs(day - 11) <= 1), 1.5, 1.0)
    busy *= np.where((month == 11) & (day >= 24), 1.25, 1.0)
    busy *= np.where((month == 5) & (day <= 8), 1.35, 1.0)
    for holiday in HOLIDAYS:
        before = (np.datetime64(holiday) - days).astype(int)
        busy *= np.where((before >= 2) & (before <= 20), 1.35 + 0.03 * (20 - before), 1.0)
        busy *= np.where(np.abs(before) <= 1, 0.35, 1.0)
    return busy


def clocks() -> np.ndarray:
    """For each type, shop time passed before each day: it runs fast on busy days, slowly on dull ones."""
    is_weekend = ~np.is_busday(START + np.arange(DAYS))
    pace = season() ** TYPES["season"].to_numpy()[:, None]
    pace *= np.where(is_weekend, TYPES["weekend"].to_numpy()[:, None], 1.0)
    pace /= pace.mean(axis=1, keepdims=True)
    return np.c_[np.zeros(len(TYPES)), pace.cumsum(axis=1)]


def day_at(clock: np.ndarray, kind: np.ndarray, shop_time: np.ndarray) -> np.ndarray:
    """The day on which the clock of the customer's type shows the shop time; DAYS where it is over."""
    day = np.empty(len(shop_time), int)
    for number, row in enumerate(clock):
        mine = kind == number
        day[mine] = np.searchsorted(row, shop_time[mine], side="right") - 1
    return day.clip(0, DAYS)


def time_of_day(rng: np.random.Generator, profile: np.ndarray, usual_hour: np.ndarray) -> np.ndarray:
    """Seconds since midnight: within an hour of the customer's usual hour, or by the profile of hours."""
    hour = pick(rng, HOUR_WEIGHTS.loc[profile].to_numpy())
    habitual = (rng.random(len(hour)) < 0.55) & (profile != "store")
    near = (usual_hour + rng.integers(-1, 2, len(hour))).clip(0, 23)
    return np.where(habitual, near, hour) * 3600 + rng.integers(0, 3600, len(hour))


def timestamps(second: np.ndarray | pd.Series) -> np.ndarray:
    """Seconds since the start as text; nothing for NEVER."""
    second = np.asarray(second, dtype=np.int64)
    text = np.datetime_as_string(START.astype("datetime64[s]") + second)
    return np.where(second >= NEVER, "", np.char.replace(text, "T", " "))
