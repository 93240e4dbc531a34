"""The same input gives the same marts, and what is published stays as it was published."""

import random
import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from conftest import Outcome, Project

DEMO = Path(__file__).parents[2] / "seeds" / "demo"
PUBLISHED = ["--select", "+segment_membership", "+segment_migration", "segment_kpis", "restatement_due"]


def differing(before: dict[str, list], after: dict[str, list]) -> list[str]:
    """Return the names of the tables whose rows differ."""
    assert before.keys() == after.keys()
    return [name for name, rows in before.items() if rows != after[name]]


@pytest.mark.long
def test_the_order_of_the_rows_changes_nothing(project, demo, tmp_path):
    inputs = {}
    for path in DEMO.glob("*.csv.gz"):
        name = path.name.removesuffix(".csv.gz")
        if name != "truth":
            inputs[name] = {"file": str(tmp_path / f"{name}.csv")}
            rows = f"read_csv('{path}', all_varchar = true) as input"
            duckdb.sql(f"copy (from {rows} order by hash(input)) to '{tmp_path / name}.csv'")
    shuffled = project.run(tmp_path, inputs=inputs)
    assert differing(demo.marts(), shuffled.marts()) == []
    for fit in (name for name in demo.tables("fits") if name.startswith("fit_") and name != "fit_history"):
        assert sorted(demo.rows(f"fits.{fit}"), key=repr) == sorted(shuffled.rows(f"fits.{fit}"), key=repr), (
            fit
        )


class Shop:
    """A small shop whose orders come in day by day, and whose definitions may change."""

    def __init__(self, project: Project, folder: Path):
        """Draw the orders of 200 customers until the middle of April 2026."""
        self.project, self.folder = project, folder
        draw = random.Random(1)
        self.orders = []
        for customer in range(200):
            day = draw.randrange(1000)
            while day < 1200:
                self.orders.append((day, f"c{customer}", draw.randrange(1, 200)))
                day += 1 + int(draw.expovariate(1 / (20 + customer)))

    def publish(self, until: str, *arguments: str, project: Project | None = None, **variables) -> Outcome:
        """Build from the orders until a day."""
        path = self.folder / "orders.csv"
        start, last = date(2023, 1, 1), date.fromisoformat(until)
        lines = [
            f"{start + timedelta(day)},{customer},{amount}"
            for day, customer, amount in self.orders
            if start + timedelta(day) <= last
        ]
        path.write_text("\n".join(["ordered_at,customer_id,amount", *lines, ""]), encoding="utf-8")
        variables = {"history_months": 3, "segmentations": ["loyalty_tier", "lifecycle"]} | variables
        variables["inputs"] = {"orders": {"file": str(path)}}
        outcome = (project or self.project).dbt(self.folder, "run", *PUBLISHED, *arguments, **variables)
        assert outcome.success, outcome.message
        return outcome

    def restate(self, until: str, project: Project | None = None) -> Outcome:
        """Publish the whole history anew."""
        return self.publish(until, "--full-refresh", project=project, parse=True, restate=True)


@pytest.fixture(scope="module")
def published(project, tmp_path_factory) -> Outcome:
    """The shop as published in the middle of March; leave it as it is."""
    return Shop(project, tmp_path_factory.mktemp("shop")).publish("2026-03-15")


@pytest.fixture
def shop(project, published, tmp_path) -> Shop:
    """The shop, published until the middle of March."""
    (tmp_path / "build").mkdir()
    shutil.copy(published.database, tmp_path / "build")
    return Shop(project, tmp_path)


@pytest.fixture(scope="module")
def stricter(tmp_path_factory) -> Project:
    """The project with another condition for a tier."""
    changed = Project(tmp_path_factory.mktemp("stricter") / "copy")
    path = changed.root / "models" / "segments" / "segments_loyalty_tier.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("orders_12m >= 2\n", "orders_12m >= 3\n"), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != text
    return changed


def members(outcome: Outcome, where: str) -> set[tuple]:
    """Return who is in which tier by which version."""
    return set(
        outcome.rows(f"""
            select customer_id, as_of_date::text, segment, definition_version from marts.segment_membership
            where segmentation = 'loyalty_tier' and {where}
        """)
    )


def versions(outcome: Outcome, where: str) -> set[str]:
    return {version for *_, version in members(outcome, where)}


def causes(outcome: Outcome, segmentation: str = "loyalty_tier") -> dict[str, int]:
    """Return how many customers stayed or moved between the last two dates, by cause."""
    return dict(
        outcome.rows(f"""
            select cause, sum(customers)::int from marts.segment_migration
            where segmentation = '{segmentation}' and as_of_date = '2026-03-15'
            group by cause
        """)
    )


CLOSED, LATEST = "as_of_date < '2026-03-15'", "as_of_date = '2026-03-15'"


def test_a_second_run_changes_nothing(published, shop):
    assert differing(published.marts(), shop.publish("2026-03-15").marts()) == []


def test_a_changed_definition_leaves_published_dates_as_they_were(published, shop, stricter):
    changed = shop.publish("2026-03-15", project=stricter)

    assert members(changed, CLOSED) == members(published, CLOSED)
    old, new = versions(published, "true"), versions(changed, LATEST)
    assert len(old) == len(new) == 1
    assert old != new

    before, after = (
        {customer: tier for customer, _, tier, _ in members(outcome, LATEST)}
        for outcome in (published, changed)
    )
    ordered_twice = changed.rows(
        f"select customer_id from features.features_rfm where {LATEST} and orders_12m = 2"
    )
    moved = {customer for customer in before if before[customer] != after[customer]}
    assert moved
    assert moved <= {customer for (customer,) in ordered_twice}
    assert {after[customer] for customer in moved} == {"member"}

    # who would have stood there without doing anything was moved by the definition
    assert "definition" not in causes(published)
    assert causes(changed)["definition"] > 0
    assert "definition" not in causes(changed, "lifecycle")


def test_a_full_refresh_leaves_what_was_published(published, shop, stricter):
    anew = shop.publish("2026-03-15", "--full-refresh", project=stricter)
    assert members(anew, CLOSED) == members(published, CLOSED)
    assert causes(anew)["definition"] > 0


def test_restating_publishes_the_whole_history_anew(published, shop, stricter):
    restated = shop.restate("2026-03-15", project=stricter)
    assert versions(restated, CLOSED) == versions(restated, LATEST)
    assert versions(restated, CLOSED).isdisjoint(versions(published, CLOSED))
    assert members(restated, CLOSED) != members(published, CLOSED)
    assert "definition" not in causes(restated)


def test_later_and_late_orders_close_month_ends_and_leave_what_was_published(published, shop):
    dates = "select distinct as_of_date::text from marts.segment_membership order by 1"
    month_ends = ["2025-12-31", "2026-01-31", "2026-02-28"]
    assert [day for (day,) in published.rows(dates)] == [*month_ends, "2026-03-15"]

    shop.orders += [(1100, f"c{customer}", 150) for customer in range(150, 200)]  # come in late, from January
    later = shop.publish("2026-04-10")
    assert members(later, "as_of_date <= '2026-02-28'") == members(published, CLOSED)
    assert [day for (day,) in later.rows(dates)] == [*month_ends, "2026-03-31", "2026-04-10"]
    moves = later.rows("select distinct as_of_date::text from marts.segment_migration order by 1")
    assert [day for (day,) in moves] == [*month_ends[1:], "2026-03-31", "2026-04-10"]


def test_what_late_orders_would_change_is_due_until_history_is_restated(published, shop):
    assert published.rows("marts.restatement_due") == []

    shop.orders += [(1100, f"c{customer}", 150) for customer in range(150, 200)]  # come in late, from January
    later = shop.publish("2026-03-15")
    assert members(later, CLOSED) == members(published, CLOSED)
    due = later.rows("""
        select as_of_date::text, customers, revenue_now - revenue_published, redefined_segmentations
        from marts.restatement_due order by 1
    """)
    # whoever is known since then alone was not published before
    assert [day for day, *_ in due] == ["2026-01-31", "2026-02-28"]
    assert [customers for _, customers, *_ in due] == [50, 50]
    assert all(difference >= 50 * 150 and redefined is None for *_, difference, redefined in due)

    restated = shop.restate("2026-03-15")
    assert restated.rows("marts.restatement_due") == []
    assert members(restated, CLOSED) != members(published, CLOSED)


def test_a_changed_definition_is_not_taken_for_late_rows(shop, stricter):
    changed = shop.publish("2026-03-15", project=stricter)
    due = changed.rows("select distinct customers, redefined_segmentations from marts.restatement_due")
    assert due == [(0, "loyalty_tier")]


def test_a_new_segmentation_starts_on_the_latest_date(shop):
    outcome = shop.publish("2026-03-15", segmentations=["loyalty_tier", "lifecycle", "rfm"])
    dates = outcome.rows("""
        select segmentation, count(distinct as_of_date), max(as_of_date)::text
        from marts.segment_membership group by segmentation order by segmentation
    """)
    assert dates == [
        ("lifecycle", 4, "2026-03-15"),
        ("loyalty_tier", 4, "2026-03-15"),
        ("rfm", 1, "2026-03-15"),
    ]
    assert causes(outcome, "rfm") == {}
    assert causes(outcome, "lifecycle")
    flows = "previous_as_of_date, customers_before, acquired"
    rows = outcome.rows(f"select distinct {flows} from marts.segment_kpis where segmentation = 'rfm'")
    assert rows == [(None, None, None)]
