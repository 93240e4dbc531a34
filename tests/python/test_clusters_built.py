"""Clusters as built: those of the demo shop, and the segmentation that they are promoted to."""

import shutil
from pathlib import Path

import duckdb
import pytest
import yaml
from click.testing import CliRunner
from conftest import PROJECT, Outcome, Project
from sklearn.metrics import adjusted_rand_score

from customer_segmentation import promotion
from customer_segmentation.cli import main


def test_the_clusters_of_the_demo_agree_with_what_customers_are_really_like(demo: Outcome):
    truth = PROJECT / "seeds" / "demo" / "truth.csv.gz"
    found = demo.frame(f"""
        select scores.as_of_date, scores.nearest_cluster, truth.latent_type
        from scores.score_cluster as scores
        inner join scores.fits_in_use as fits
            on scores.as_of_date = fits.as_of_date and scores.fitted_on = fits.learned_on
        inner join read_csv('{truth}') as truth using (customer_id)
        where fits.as_of_date = fits.fitted_on
        qualify scores.as_of_date = max(scores.as_of_date) over ()
    """)
    assert len(found) > 1_800
    # docs/decisions/clusters.md says what limits it; labels drawn at random agree by 0.00
    assert adjusted_rand_score(found["latent_type"], found["nearest_cluster"]) > 0.12


def test_profiles_cover_all_buyers_and_say_how_stable_clusters_are(demo: Outcome):
    profiles = demo.frame("select * from marts.cluster_profiles")
    buyers = demo.rows("select count(*) from marts.customers where lifetime_orders > 0")
    assert [(profiles["customers"].sum(),)] == buyers
    assert profiles["share_of_customers"].sum() == pytest.approx(1)
    assert len(profiles) == profiles["clusters"].iloc[0] == profiles["label"].nunique()
    assert (profiles["jaccard"] >= 0.75).all()
    assert profiles["verdict"].isin(["stable", "highly stable"]).all()
    assert (profiles["rule"] != "").all()
    assert (profiles["rule_fidelity"] > 0.8).all()
    assert set(profiles["is_new"]) == {True, False}
    assert (profiles["matched_to"].isna() == profiles["is_new"]).all()


@pytest.fixture
def habits(demo: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of the project whose command promotes clusters of the demo."""
    copy = Project(tmp_path / "copy")
    monkeypatch.setattr(promotion, "SEGMENTS", copy.root / "models" / "segments")
    (tmp_path / "build").mkdir()
    shutil.copy(demo.database, tmp_path / "build")
    return copy


def promoted(*options: str, database: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the command on a database."""
    monkeypatch.setattr("customer_segmentation.inputs.Input.database", database)
    return CliRunner().invoke(main, ["promote-clusters", *options])


def test_promoted_clusters_pass_all_checks_and_put_customers_where_the_clusters_do(
    habits: Project, demo: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    options = {"database": demo.database, "monkeypatch": monkeypatch}
    outcome = promoted("habits", "--owner", "crm: online", **options)
    assert outcome.exit_code == 0, outcome.output
    assert "segments_habits.yml" in outcome.output
    assert promotion.GUIDE in outcome.output
    assert (PROJECT / promotion.GUIDE).is_file()
    some = promoted("some_habits", "--owner", "crm", "--only", "cluster_1", **options)
    assert some.exit_code == 0, some.output

    names = {
        "segmentations": ["rfm", "habits", "some_habits"]
    }  # the run begins with the checks of all definitions
    built = habits.dbt(tmp_path, "build", "--select", "segments_habits", "segments_some_habits", **names)
    assert built.success, built.message
    ran = [result.node.resource_type for result in built.result.results]
    assert ran.count("unit_test") == 2

    path = habits.root / "models" / "segments" / "segments_habits.yml"
    written = yaml.safe_load(path.read_text(encoding="utf-8"))["models"][0]["config"]["meta"]["segmentation"]
    labels = {segment["name"]: segment["label"] for segment in written["segments"]}
    profiles = demo.frame("select * from marts.cluster_profiles")
    assert {label["ko"] for label in labels.values()} == set(profiles["label_ko"])
    assert written["owner"] == "crm: online"

    placed = built.frame("""
        select scores.nearest_cluster, habits.segment, some_habits.segment as some
        from scores.score_cluster as scores
        inner join segments.segments_habits as habits using (customer_id, as_of_date)
        left join segments.segments_some_habits as some_habits using (customer_id, as_of_date)
        where scores.as_of_date = scores.fitted_on
        qualify scores.as_of_date = max(scores.as_of_date) over ()
    """)
    label_of = profiles.set_index("cluster")["label"]
    agreed = placed["nearest_cluster"].map(label_of) == placed["segment"].map(lambda name: labels[name]["en"])
    assert agreed.mean() == pytest.approx(profiles["rule_fidelity"].iloc[0], abs=1e-9)
    first = placed["segment"].map(lambda name: labels[name]["en"]) == label_of["cluster_1"]
    assert (first == placed["some"].notna()).all()


def test_nothing_is_written_over(habits: Project, demo: Outcome, monkeypatch: pytest.MonkeyPatch):
    before = (promotion.SEGMENTS / "segments_rfm.yml").read_text(encoding="utf-8")
    outcome = promoted("rfm", "--owner", "crm", database=demo.database, monkeypatch=monkeypatch)
    assert outcome.exit_code == 1
    assert "segments_rfm.yml is there already" in outcome.output
    assert (promotion.SEGMENTS / "segments_rfm.yml").read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("My Habits", "--owner", "crm"), "can't be called 'My Habits'"),
        (
            ("habits", "--owner", "crm", "--only", "cluster_99"),
            "no cluster 'cluster_99'. Did you mean cluster_7? There is cluster_1",
        ),
        (("habits",), "--owner"),
    ],
)
def test_what_cannot_be_promoted_is_said(habits, demo, monkeypatch, options, said: str):
    outcome = promoted(*options, database=demo.database, monkeypatch=monkeypatch)
    assert outcome.exit_code != 0
    assert said in outcome.output
    assert not isinstance(outcome.exception, promotion.PromotionError)
    assert not list(promotion.SEGMENTS.glob("*habits*"))


def test_a_build_without_clusters_says_why_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "shop.duckdb"

    def said() -> str:
        return promoted("habits", "--owner", "crm", database=path, monkeypatch=monkeypatch).output

    assert "Build it first" in said()
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts; create schema fits")
    assert "Build it whole" in said()
    columns = promotion.CLUSTERS.split("from")[0].replace("select", "").split(",")
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"create table marts.cluster_profiles ({', '.join(f'{name} text' for name in columns)})"
        )
        connection.execute("create table fits.fit_clusters (fitted_on date, metric text, note text)")
        connection.execute("insert into fits.fit_clusters values ('2026-03-31', 'problem', '80 buyers')")
    assert "has no clusters: 80 buyers" in said()


@pytest.mark.parametrize("limit", [12, 0.07, 1_234_567, 45_000_000])
def test_the_customer_of_a_written_unit_test_meets_the_rule_whatever_the_currency(limit: float):
    rule = f"average_order_value > {limit:.15g}"
    cluster = promotion.Cluster("cluster_1", "L", "L", rule, 1, 1, 1, 1, 1, 1, None)
    values = dict(pair.split(": ") for pair in promotion._values(cluster).split(", "))
    assert float(values["average_order_value"]) > limit
