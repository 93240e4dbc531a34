"""What the guides tell to write works word for word."""

import re
from pathlib import Path

from conftest import PROJECT, Project
from test_segment_definitions import Definitions, with_segment

GUIDE = (PROJECT / "docs" / "guides" / "add_a_feature.md").read_text(encoding="utf-8")


def test_the_guide_adds_a_feature_that_conditions_can_use(demo, tmp_path: Path):
    (part,) = re.findall(r"   ```sql\n(.*?)   ```", GUIDE, re.DOTALL)
    (described,) = re.findall(r"   ```yaml\n   (.*?)\n   ```", GUIDE, re.DOTALL)
    copy = Project(tmp_path / "copy")
    model = copy.root / "models" / "features" / "features_purchasing.sql"
    for before, new in {
        "\ntastes as (": f"\n{part}\ntastes as (",
        "'dayparts', 'tastes']": "'dayparts', 'tastes', 'weekends']",
        "    tastes.favourite as": "    weekends.weekend_share,\n    tastes.favourite as",
    }.items():
        replace_once(model, before, new)
    before = '      - {name: favourite_weekday, description: "Day of the week with most'
    replace_once(model.parent / "_features__models.yml", before, f"      {described}\n{before}")

    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "shop.duckdb").write_bytes(demo.database.read_bytes())
    (selected,) = re.findall(r"dbt build --select (.*)", GUIDE)
    built = copy.run(tmp_path, "--select", *selected.split())
    ((least, most, known),) = built.rows(
        "select min(weekend_share), max(weekend_share), count(weekend_share) from segments.customer_features"
    )
    assert 0 <= least < most <= 1 and known > 1000
    late_on_weekends = with_segment(when="overdue_ratio > 2 and weekend_share > 0.5")
    assert Definitions(copy, tmp_path).problems([late_on_weekends]) == [[]]


def replace_once(path: Path, before: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, before
    path.write_text(text.replace(before, new), encoding="utf-8")
