"""Every page of the site, of every input, in a real browser: docs/dashboard.md."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import PROJECT
from playwright.sync_api import Browser, Page, expect, sync_playwright

from customer_segmentation.dashboard import boards, site

CHROMIUM = Path("/usr/bin/chromium")
SCREENSHOTS = PROJECT / "build" / "screenshots"
WIDTHS = {1280: "", 390: "narrow-"}  # the drawing that is shown at that width: what its ids begin with
SITES = [(name, language) for name in ("demo", "completejourney", "cdnow") for language in ("en", "ko")]
CURRENCIES = {"demo": "KRW", "completejourney": "USD", "cdnow": "USD"}
GRAVE = {"serious", "critical"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM.exists(), "The pages are tested in Chromium: apt install chromium fonts-noto-cjk"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module", params=SITES, ids="-".join)
def pages(request, tmp_path_factory) -> tuple[str, Path, list[Path]]:
    """The name of a site, its database, and its pages: of the demo in English all."""
    name, language = request.param
    database = request.getfixturevalue(name).database
    folder = tmp_path_factory.mktemp("site")
    of_all = (name, language) == ("demo", "en")
    # one in which each customer has one segment, and one in which segments overlap
    kinds = ("rfm", "behaviour")
    shown = [segmentation for segmentation in site.published(database) if of_all or segmentation in kinds]
    with (
        mock.patch.object(site, "WORK", folder / "work"),
        mock.patch.object(site, "published", return_value=shown),
    ):
        paths = site.render(database, name, CURRENCIES[name], language, folder / "site")
    return f"{name}-{language}", database, paths


def _open(browser: Browser, path: Path, width: int) -> tuple[Page, list[str]]:
    """Open a page and return it with all that it complains of, and all that it asks another one for."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    faults: list[str] = []
    page.on("console", lambda message: faults.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request",
        lambda asked: faults.append(asked.url) if not asked.url.startswith(("file:", "data:")) else None,
    )
    page.goto(path.as_uri())
    page.wait_for_function("document.fonts.ready")
    return page, faults


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_opens_without_a_fault_and_can_be_used_by_everybody(browser, pages, width):
    """No error, no request to a network, nothing wider than the screen, no serious finding of axe."""
    name, _, paths = pages
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for path in paths:
        page, faults = _open(browser, path, width)
        page.screenshot(path=SCREENSHOTS / f"{name}-{path.stem}-{width}.png", full_page=True)
        assert not faults, path.name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path.name
        found = Axe().run(page, options={"preload": False}).response["violations"]
        assert not [rule["help"] for rule in found if rule["impact"] in GRAVE], path.name
        page.close()


# board and number: the same from the marts, by plain SQL; {segmentation} is the one that the page is about
LATEST = "as_of_date = (select max(as_of_date) from marts.customers)"
OF_ONE = f"from marts.segment_profiles where segmentation = '{{segmentation}}' and {LATEST}"
MOVED = f"from marts.segment_migration where segmentation = '{{segmentation}}' and {LATEST}"
FLOWED = f"from marts.segment_kpis where segmentation = '{{segmentation}}' and {LATEST}"
MEMBERS = (
    "from marts.customers where customer_id in ("
    f"select customer_id from marts.segment_membership where segmentation = '{{segmentation}}' and {LATEST})"
)
HEADLINES = {
    ("overview", "customers"): "select count(*) from marts.customers",
    ("overview", "active"): "select count(*) from marts.customers where is_active",
    ("overview", "revenue"): "select sum(revenue_12m) from marts.customers",
    ("overview", "expected"): "select sum(expected_revenue_365d) from marts.customers",
    (
        "overview",
        "ordered_again",
    ): "select sum(active_customers) / sum(customers) from marts.cohort_retention "
    "where months_since_first_order > 0 and is_complete "
    "and order_month = (select max(order_month) from marts.cohort_retention where is_complete)",
    ("overview", "core"): "select count(*) from marts.core_customers where is_core",
    ("segments", "segments"): f"select count(*) {OF_ONE} and customers > 0",
    ("segments", "customers"): f"select count(*) {MEMBERS}",
    ("segments", "revenue"): f"select sum(revenue_12m) {MEMBERS}",
    ("segments", "expected"): f"select sum(expected_revenue_365d) {MEMBERS}",
    ("movement", "retained"): f"select sum(customers) {MOVED} and from_segment = to_segment",
    ("movement", "departed"): f"select sum(customers) {MOVED} and from_segment <> coalesce(to_segment, '')",
    ("movement", "acquired"): f"select sum(customers) {MOVED} and from_segment is null",
    ("movement", "won_back"): f"select sum(won_back) {FLOWED}",
    ("movement", "churned"): f"select sum(churned) {FLOWED}",
    ("value_and_risk", "expected"): "select sum(expected_revenue_365d) from marts.customers",
    ("value_and_risk", "lifetime"): "select sum(lifetime_value) from marts.customers",
    ("value_and_risk", "churn"): "select avg(churn_probability) from marts.customers",
    ("value_and_risk", "next_order"): "select avg(next_order_probability) from marts.customers",
    ("definitions", "segmentations"): "select count(distinct segmentation) from marts.segment_profiles "
    "where segmentation <> '(all)'",
    ("definitions", "segments"): "select count(*) from marts.segments where left_out_because is null",
    ("definitions", "checks"): "select count(*) from marts.segmentation_validity where verdict = 'pass'",
    ("definitions", "failed"): "select count(*) from marts.segmentation_validity where verdict = 'fail'",
    ("definitions", "claims"): "select count(*) from marts.hypotheses where verdict = 'supported'",
    ("data_quality", "delivered"): "select sum(rows_in) from marts.input_reconciliation",
    ("data_quality", "rejected"): "select count(*) from marts.rejected_rows",
    ("data_quality", "inputs_there"): "select count(*) from marts.input_coverage "
    "where subject = 'input' and is_present",
    ("data_quality", "segments_there"): "select count(*) from marts.input_coverage "
    "where subject = 'segment' and is_present",
}


def test_every_headline_number_of_a_board_is_compared():
    charts = {board: boards.read(board)["charts"] for board in boards.ORDER}
    numbers = {
        (board, name) for board in charts for name in charts[board] if charts[board][name]["type"] == "kpi"
    }
    assert numbers == set(HEADLINES)


@pytest.mark.parametrize("width", WIDTHS)
def test_headline_numbers_are_those_of_the_marts(browser, pages, width):
    """As far as they are written out: 503M says 503 million and up to half a million more or less.

    The demo has all of them; other inputs may have too few dates or customers for some.
    """
    site_name, database, paths = pages
    (first, *_) = site.published(database)
    by_name = {path.stem: path for path in paths}
    with duckdb.connect(str(database), read_only=True) as connection:
        for (board, number), query in HEADLINES.items():
            ((expected,),) = connection.execute(query.replace("{segmentation}", first)).fetchall()
            assert expected is not None or not site_name.startswith("demo"), (board, number)
            if expected is None:
                continue
            page, _ = _open(browser, by_name[board], width)
            value, precision = _read(page.locator(f"#{WIDTHS[width]}chart-{number}").text_content())
            assert abs(value - float(expected)) <= precision, (board, number)
            page.close()


@pytest.fixture
def served(demo, tmp_path) -> Iterator[str]:
    """The address at which the boards of the demo are served."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    code = (
        "from pathlib import Path; from customer_segmentation.dashboard import serving, site; "
        f"site.WORK = Path({str(tmp_path)!r}); "
        f"serving.serve(Path({str(demo.database)!r}), 'demo', 'KRW', 'en', {port})"
    )
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen([sys.executable, "-c", code], stdout=log, stderr=log)
    try:
        until = time.monotonic() + 120
        while not _answers(port):
            assert server.poll() is None and time.monotonic() < until, (tmp_path / "log").read_text()
            time.sleep(0.2)
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def _answers(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("localhost", port)) == 0


def test_served_boards_show_the_segmentation_that_is_chosen(browser, demo, served):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{served}/segments/", timeout=120_000)
    for segmentation in ("lifecycle", "loyalty_tier"):
        page.locator("[data-dbt-variable=segmentation] text").last.click()
        page.locator(f".dbt-select-option[data-value={segmentation}]").click()
        ((expected,),) = demo.rows(HEADLINES["segments", "segments"].replace("{segmentation}", segmentation))
        expect(page.locator("#chart-segments")).to_contain_text(str(expected), timeout=120_000)
        assert f"segmentation={segmentation}" in page.url
    page.close()


def _read(text: str) -> tuple[float, float]:
    """Return the number that a text begins with, and how far the one that was rounded to it may be away."""
    digits, decimals, suffix = re.match(r"\s*([\d,]+)(?:\.(\d+))?\s*([KMBT%]?)", text).groups()
    unit = {"": 1, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12, "%": 0.01}[suffix]
    value = float(digits.replace(",", "") + "." + (decimals or "0"))
    return value * unit, 0.5001 * unit * 10 ** -len(decimals or "")
