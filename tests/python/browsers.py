"""A plugin of pytest: without a browser, tests marked `browser` fail in CI and are else left out aloud."""

import os
from functools import cache

import chromium
import pytest


@cache
def _missing() -> bool:
    return chromium.find() is None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave a test that needs a browser out where there is none; in CI, let it fail."""
    if item.get_closest_marker("browser") and _missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(chromium.NOT_TESTED)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "browser: looks at pages in Chrome or Chromium")


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Say at the very end what was left out."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if any(chromium.NOT_TESTED in str(report.longrepr) for report in skipped):
        print(f"\n{chromium.NOT_TESTED} {chromium.WAYS}", flush=True)
