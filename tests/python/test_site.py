"""Every page of the site, of every input, in a real browser: docs/dashboard.md."""

import re
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import PROJECT
from playwright.sync_api import Browser, Locator, Page, expect

from customer_segmentation.dashboard import boards, site

SCREENSHOTS = PROJECT / "build" / "screenshots"
WIDTHS = (1280, 390)
CURRENCIES = {"demo": "KRW", "completejourney": "USD", "cdnow": "USD"}
GRAVE = {"serious", "critical"}
# one in which each customer has one segment, and one in which segments overlap
KINDS = ("rfm", "behaviour")
SHOWN = "main > section:not([hidden])"
IS_DRAWN = f"[...document.querySelectorAll('{SHOWN} .chart')].every(chart => chart.dataset.state == 'drawn')"


@dataclass(frozen=True)
class Site:
    """The pages of a database in a language."""

    name: str
    database: Path
    pages: dict[str, Path]
    segmentations: list[str]

    def sections(self, board: str) -> list[str]:
        """Return what is chosen on a board, one after the other."""
        return self.segmentations if board in boards.BY_SEGMENTATION else [""]


def _site(
    request: pytest.FixtureRequest, folder: Path, name: str, language: str, kinds: tuple[str, ...]
) -> Site:
    database = request.getfixturevalue(name).database
    shown = [segmentation for segmentation in site.published(database) if not kinds or segmentation in kinds]
    with mock.patch.object(site, "published", return_value=shown):
        index, *paths = site.render(database, name, CURRENCIES[name], language, folder / "site")
    assert index.read_text("utf-8") == paths[0].read_text("utf-8")
    return Site(f"{name}-{language}", database, {path.stem: path for path in paths}, shown)


FAST = [("demo", "en", KINDS), ("demo", "ko", KINDS[:1])]
LONG = [
    ("demo", "en", ()),
    ("demo", "ko", KINDS),
    *((name, language, KINDS) for name in ("completejourney", "cdnow") for language in ("en", "ko")),
]


def _param(one: tuple[str, str, tuple[str, ...]], *marks: pytest.MarkDecorator) -> object:
    name, language, kinds = one
    return pytest.param(one, id=f"{name}-{language}-{len(kinds) or 'all'}", marks=marks)


SITES = [*map(_param, FAST), *(_param(one, pytest.mark.long) for one in LONG)]


@pytest.fixture(scope="module", params=SITES)
def pages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The pages of a site, with two segmentations or, in English, with all of the demo."""
    return _site(request, tmp_path_factory.mktemp("site"), *request.param)


@pytest.fixture(scope="module")
def english(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The pages of the demo in English, with two segmentations."""
    return _site(request, tmp_path_factory.mktemp("english"), *FAST[0])


def _open(browser: Browser, path: Path, width: int, chosen: str = "") -> tuple[Page, list[str]]:
    """Open a page, wait for its charts; return it with all that it complains of, and all that it asks for."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    faults: list[str] = []
    page.on("console", lambda message: faults.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request",
        lambda asked: faults.append(asked.url) if not asked.url.startswith(("file:", "data:")) else None,
    )
    page.goto(path.as_uri() + (f"#{chosen}" if chosen else ""))
    _wait_until_drawn(page)
    return page, faults


def _wait_until_drawn(page: Page) -> None:
    page.wait_for_function(IS_DRAWN)
    charts = page.locator(f"{SHOWN} .chart")
    assert charts.count() == page.locator(f"{SHOWN} .chart svg").count()


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_opens_without_a_fault_and_can_be_used_by_everybody(browser, pages, width):
    """All charts are drawn; no error, no request to a network, nothing too wide, no grave finding of axe."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for board, path in pages.pages.items():
        for chosen in pages.sections(board):
            where = f"{pages.name}-{board}-{chosen}-{width}"
            page, faults = _open(browser, path, width, chosen)
            page.screenshot(path=SCREENSHOTS / f"{where}.png", full_page=True)
            assert not faults, where
            assert page.evaluate("document.documentElement.scrollWidth") <= width, where
            found = Axe().run(page, options={"preload": False}).response["violations"]
            assert not [rule["help"] for rule in found if rule["impact"] in GRAVE], where
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
    (
        "movement",
        "retained",
    ): f"select sum(case when from_segment = to_segment then customers else 0 end) {MOVED}",
    (
        "movement",
        "departed",
    ): f"select sum(case when from_segment <> coalesce(to_segment, '') then customers else 0 end) {MOVED}",
    (
        "movement",
        "acquired",
    ): f"select sum(case when direction = 'entered' then customers else 0 end) {MOVED}",
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
    numbers = {(board, name) for board in charts for name in charts[board] if "number" in charts[board][name]}
    assert numbers == set(HEADLINES)


@pytest.mark.parametrize("width", WIDTHS)
def test_headline_numbers_are_those_of_the_marts(browser, pages, width):
    """As far as they are written out: 503M says 503 million and up to half a million more or less.

    The demo has all of them; other inputs may have too few dates or customers for some.
    """
    with duckdb.connect(str(pages.database), read_only=True) as connection:
        for board, path in pages.pages.items():
            for chosen in pages.sections(board):
                page, _ = _open(browser, path, width, chosen)
                for number in [number for of, number in HEADLINES if of == board]:
                    query = HEADLINES[board, number].replace("{segmentation}", chosen)
                    ((expected,),) = connection.execute(query).fetchall()
                    assert expected is not None or not pages.name.startswith("demo"), (board, number)
                    if expected is not None:
                        value, precision = _read(_number(page, number).inner_text())
                        assert abs(value - float(expected)) <= precision, (board, chosen, number)
                page.close()


def test_the_segmentation_that_is_chosen_is_shown_and_stands_in_the_address(browser, english):
    page, faults = _open(browser, english.pages["segments"], 1280)
    for chosen in (KINDS[1], KINDS[0], KINDS[1]):
        page.get_by_label("Segmentation").select_option(chosen)
        _expect_segments_of(page, english, chosen)
        assert page.url.endswith(f"segments.html#{chosen}")
    page.reload()
    _expect_segments_of(page, english, KINDS[1])
    assert page.evaluate("scrollY") == 0
    page.get_by_role("link", name="Movement").click()
    assert page.url.endswith(f"movement.html#{KINDS[1]}")
    _wait_until_drawn(page)
    expect(page.get_by_label("Segmentation")).to_have_value(KINDS[1])
    page.go_back()
    page.go_back()
    _expect_segments_of(page, english, KINDS[0])
    assert not faults
    page.close()


def test_a_segmentation_is_chosen_with_the_keyboard(browser, english):
    page, _ = _open(browser, english.pages["segments"], 390)
    choice = page.get_by_label("Segmentation")
    for _ in range(20):
        page.keyboard.press("Tab")
        if choice.evaluate("one => one == document.activeElement"):
            break
    expect(choice).to_be_focused()
    page.keyboard.press("ArrowDown")
    _expect_segments_of(page, english, KINDS[1])
    assert page.url.endswith(f"#{KINDS[1]}")
    page.close()


def test_charts_of_a_segmentation_are_drawn_when_it_is_chosen(browser, english):
    page, _ = _open(browser, english.pages["segments"], 1280)
    assert not page.locator(f"#{KINDS[1]} .chart svg").count()
    page.get_by_label("Segmentation").select_option(KINDS[1])
    _wait_until_drawn(page)
    assert page.locator(f"#{KINDS[1]} .chart svg").count()
    page.close()


def test_charts_follow_the_width_of_the_page(browser, english):
    page, faults = _open(browser, english.pages["overview"], 1280)
    page.set_viewport_size({"width": 390, "height": 900})
    charts = "[...document.querySelectorAll('.chart')]"
    page.wait_for_function(f"{charts}.every(one => one.querySelector('svg').clientWidth <= one.clientWidth)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not faults
    page.close()


def test_what_a_chart_shows_stands_below_it_in_numbers(browser, english):
    for path in english.pages.values():
        page, _ = _open(browser, path, 1280)
        for figure in page.locator(f"{SHOWN} figure:has(.chart)").all():
            name = figure.locator(".chart").get_attribute("aria-label")
            assert name.startswith(figure.locator("h3").inner_text())
            figure.locator("summary").click()
            expect(figure.locator("tbody tr").first).to_be_visible()
        page.close()


def test_what_is_pointed_at_is_said_in_words(browser, english):
    page, _ = _open(browser, english.pages["segments"], 1280)
    page.locator(f"{SHOWN} .chart svg .mark-rect path").first.hover()
    expect(page.locator("#vg-tooltip-element")).to_contain_text("Segment: Champions")
    expect(page.locator("#vg-tooltip-element")).to_contain_text("%")
    page.close()


def test_numbers_and_tables_are_there_without_javascript(browser, english):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(english.pages["segments"].as_uri())
    expect(page.get_by_text("Charts are drawn by JavaScript")).to_be_visible()
    for chosen in KINDS:
        section = page.locator(f"#{chosen}")
        expect(section.locator("[data-name=segments] strong")).to_be_visible()
        section.locator("summary").first.click()
        expect(section.locator("details tbody tr").first).to_be_visible()
    context.close()


def test_what_is_printed_has_the_numbers_of_the_charts(browser, english):
    page, _ = _open(browser, english.pages["overview"], 1280)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    for table in page.locator("details table").all():
        expect(table).to_be_visible()
    page.close()


def _number(page: Page, name: str) -> Locator:
    return page.locator(f"{SHOWN} [data-name={name}] strong")


def _expect_segments_of(page: Page, of: Site, segmentation: str) -> None:
    with duckdb.connect(str(of.database), read_only=True) as connection:
        for number in ("segments", "customers"):
            query = HEADLINES["segments", number].replace("{segmentation}", segmentation)
            ((expected,),) = connection.execute(query).fetchall()
            expect(_number(page, number)).to_have_text(f"{expected:,}")


def _read(text: str) -> tuple[float, float]:
    """Return the number that a text begins with, and how far the one that was rounded to it may be away."""
    digits, decimals, suffix = re.match(r"\s*(-?[\d,]+)(?:\.(\d+))?\s*([KMBT%만억조]?)", text).groups()
    units = {"": 1, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12, "%": 0.01, "만": 1e4, "억": 1e8, "조": 1e12}
    value = float(digits.replace(",", "") + "." + (decimals or "0"))
    return value * units[suffix], 0.5001 * units[suffix] * 10 ** -len(decimals or "")
