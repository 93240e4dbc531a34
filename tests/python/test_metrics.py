"""The metrics: MetricFlow finds them valid, and its answers are those of plain SQL over the marts."""

import csv
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import PROJECT, Project

METRICS = PROJECT / "models" / "metrics" / "_metrics.yml"
ASKED = {
    "customers",
    "new_customers",
    "revenue",
    "orders",
    "average_order_value",
    "repeat_rate",
    "retention_rate",
}
ASKED |= {"churn_rate", "upgrade_rate", "downgrade_rate", "win_backs", "expected_value", "reach_rate"}
OF_TIERS = "{{ Dimension('segment__segmentation') }} = 'loyalty_tier'"

# options of `mf query`, and the SQL whose rows it must return
QUERIES = {
    "what everybody did, by month": (
        "--metrics new_customers,revenue,average_order_value,repeat_rate,churn_rate,win_backs "
        "--group-by metric_time__month",
        """
        select
            date_trunc('month', as_of_date), acquired, revenue, won_back, revenue / orders,
            repeat_buyers / buyers, churned / active_before
        from marts.segment_kpis
        where segmentation = '(all)'
        """,
    ),
    "customers, by quarter: those at its end": (
        "--metrics customers --group-by metric_time__quarter",
        """
        select date_trunc('quarter', as_of_date), max_by(customers, as_of_date)
        from marts.segment_kpis
        where segmentation = '(all)'
        group by all
        """,
    ),
    "customers over all segmentations, each once": (
        "--metrics customers",
        "select count(*) from marts.customers",
    ),
    "what segments did, by month": (
        "--metrics customers,segment_revenue,segment_expected_value,retention_rate,upgrade_rate,"
        f'downgrade_rate --group-by metric_time__month,segment__name --where "{OF_TIERS}"',
        """
        with

        moves as (
            select
                as_of_date,
                from_segment as segment,
                sum(customers) filter (direction = 'stayed') / sum(customers) as retention,
                coalesce(sum(customers) filter (direction = 'up'), 0) / sum(customers) as up,
                coalesce(sum(customers) filter (direction = 'down'), 0) / sum(customers) as down
            from marts.segment_migration
            where segmentation = 'loyalty_tier'
            group by all
        )

        select
            date_trunc('month', as_of_date), segment, customers, revenue, expected_revenue_365d,
            retention, up, down
        from marts.segment_kpis
        left join moves using (as_of_date, segment)
        where segmentation = 'loyalty_tier'
        """,
    ),
    "reach of segments": (
        f'--metrics segment_reach_rate --group-by segment__label --where "{OF_TIERS}"',
        "select label, share_reachable from marts.segment_profiles where segmentation = 'loyalty_tier'",
    ),
    "what is expected, by region": (
        "--metrics expected_value,reach_rate,average_order_value_12m --group-by customer__region",
        """
        select
            region, sum(expected_revenue_365d), count(*) filter (is_reachable) / count(is_reachable),
            sum(revenue_12m) / nullif(sum(orders_12m), 0)
        from marts.customers
        group by all
        """,
    ),
    "customers of a segment, by cohort": (
        f'--metrics customers --group-by customer__cohort__month,segment__name --where "{OF_TIERS}"',
        """
        select date_trunc('month', first_order_on), loyalty_tier, count(*)
        from marts.customers
        where loyalty_tier is not null
        group by all
        """,
    ),
    "who of the cohorts comes back": (
        "--metrics cohort_retention_rate --group-by cohort__months_since_first_order",
        """
        select months_since_first_order, sum(active_customers) / sum(customers)
        from marts.cohort_retention
        where is_complete and months_since_first_order > 0
        group by all
        """,
    ),
    "who of all cohorts came back, by month of the orders": (
        "--metrics cohort_retention_rate --group-by metric_time__month",
        """
        select order_month, sum(active_customers) / sum(customers)
        from marts.cohort_retention
        where is_complete and months_since_first_order > 0
        group by all
        """,
    ),
    "how many are in the cohorts": (
        "--metrics cohort_size",
        "select count(first_order_on) from marts.customers",
    ),
}


@pytest.fixture(scope="module")
def shop(demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the demo built at its own place, as MetricFlow takes no variables."""
    root = Project(tmp_path_factory.mktemp("metrics") / "copy").root
    (root / "build").mkdir(exist_ok=True)
    (root / "build" / "demo.duckdb").write_bytes(demo.database.read_bytes())
    run(root, "dbt", "parse", "--quiet")
    return root


def run(root: Path, command: str, *arguments: str) -> str:
    """Run a command of the environment in a project; its spinner is kept out of the tests' output."""
    path = Path(sys.executable).with_name(command)
    environment = os.environ | {"DBT_PROFILES_DIR": str(root), "DO_NOT_TRACK": "1"}
    done = subprocess.run(
        [str(path), *arguments], cwd=root, env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def comparable(value: object) -> object:
    """Return a value as it compares: numbers to ten digits, times as dates, nothing as None."""
    text = "" if value is None else str(value).removesuffix(" 00:00:00")
    try:
        return float(f"{float(text):.10g}")
    except ValueError:
        return text or None


def test_every_metric_that_people_ask_for_is_in_the_manifest(project):
    metrics = {metric.name: metric for metric in project.manifest.metrics.values()}
    assert len(metrics) > 0, "dbt read no metrics: are they in a spec that this version ignores?"
    assert not ASKED - set(metrics)
    assert all(metric.description.strip() and metric.label for metric in metrics.values())
    assert len(project.manifest.semantic_models) > 0


def test_no_metric_adds_up_everybody_and_segments():
    metrics = yaml.safe_load(METRICS.read_text(encoding="utf-8"))["metrics"]
    measured = yaml.safe_load((METRICS.parent / "_semantic_models.yml").read_text(encoding="utf-8"))
    split = {
        measure["name"]: model["primary_entity"]
        for model in measured["semantic_models"]
        if model["name"] in ("movements", "profiles")
        for measure in model["measures"]
    }
    simple = [metric for metric in metrics if metric["type_params"].get("measure") in split]
    assert len(simple) > 10
    for metric in simple:
        of_segments = metric["name"].startswith("segment_")
        model = split[metric["type_params"]["measure"]]
        is_everybody = f"{{{{ Dimension('{model}__is_everybody') }}}}"
        assert metric["filter"] == ("not " if of_segments else "") + is_everybody, metric["name"]
        assert ("name one segmentation" in metric["description"]) == of_segments, metric["name"]


@pytest.mark.long
def test_metricflow_finds_them_valid(shop):
    said = run(shop, "mf", "validate-configs")
    assert "Successfully validated metrics against data warehouse (ERRORS: 0" in said


@pytest.mark.long
@pytest.mark.parametrize("name", QUERIES)
def test_metricflow_says_what_plain_sql_says(shop, demo, name):
    options, sql = QUERIES[name]
    output = shop / "answer.csv"
    run(shop, "mf", "query", *shlex.split(options), "--csv", str(output))
    with output.open(encoding="utf-8", newline="") as file:
        _, *answered = csv.reader(file)
    expected = [tuple(map(comparable, row)) for row in demo.rows(sql)]
    assert len(expected) > 0
    assert sorted([tuple(map(comparable, row)) for row in answered], key=repr) == sorted(expected, key=repr)
