"""The command of dbt-charts, which draws and serves boards."""

import os
import sys
from pathlib import Path

from customer_segmentation.dashboard.boards import DashboardError

ENVIRONMENT = {"DO_NOT_TRACK": "1"}


def command(*arguments: str) -> list[str]:
    """Return a command line of dbt-charts; raises DashboardError if it is not installed."""
    path = Path(sys.executable).with_name("dct")
    if not path.is_file():
        raise DashboardError(
            "The boards are drawn by dbt-charts, which is not installed.\n"
            "  Install it: .venv/bin/pip install --no-deps -r requirements-dashboard.lock\n"
            "  or let make do it: make dashboard"
        )
    return [str(path), *arguments]


def environment() -> dict[str, str]:
    """Return the environment in which it runs: it reports its use to nobody."""
    return os.environ | ENVIRONMENT
