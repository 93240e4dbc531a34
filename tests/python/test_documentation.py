"""What documents point to is there: links, and every path that the map of the house names."""

import csv
import re
from pathlib import Path

import pytest
from conftest import PROJECT

PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "benchmarks/*.md", "seeds/**/*.md")
    for path in PROJECT.glob(pattern)
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(r"`([\w./-]+(?:/|\.(?:csv|gz|json|md|py|sql|yml)))`")
MADE_BY_BUILDS = ("build/",)
MODULES = "src/customer_segmentation"


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as they are made of their text."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_the_map_of_the_house_names_what_is_there():
    text = (PROJECT / "docs" / "house.md").read_text(encoding="utf-8")
    named = [name for name in NAMED.findall(text) if not name.startswith(MADE_BY_BUILDS)]
    assert len(named) > 60
    folders = [
        PROJECT / name for name in ("models", "macros", "src", "seeds", "benchmarks", "dashboard", "tests")
    ]
    files = {path.name for folder in folders for path in folder.rglob("*")}
    places = (PROJECT, PROJECT / MODULES)
    assert [n for n in named if n not in files and not any((place / n).exists() for place in places)] == []


def test_the_map_of_the_house_has_every_folder_of_models_and_macros_and_every_package():
    text = (PROJECT / "docs" / "house.md").read_text(encoding="utf-8")
    folders = [
        *(f"models/{path.name}" for path in (PROJECT / "models").iterdir() if path.is_dir()),
        *(f"macros/{path.name}/" for path in (PROJECT / "macros").iterdir() if path.is_dir()),
        *(f"{path.name}/" for path in (PROJECT / MODULES).iterdir() if (path / "__init__.py").exists()),
    ]
    assert [folder for folder in folders if f"`{folder}`" not in text] == []


def test_what_the_front_door_says_of_make_is_there():
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        told = re.findall(r"(?:`|^ *)make ([a-z-]+)", text, re.MULTILINE)
        assert set(told) <= targets, page.name


def test_what_can_go_wrong_has_a_row_for_every_reason():
    guide = (PROJECT / "docs" / "your_own_data.md").read_text(encoding="utf-8")
    section = guide.partition("## What can go wrong")[2].partition("\n## ")[0]
    told = set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))
    with (PROJECT / "seeds" / "reference" / "reject_problems.csv").open(encoding="utf-8") as file:
        problems = {row["problem"] for row in csv.DictReader(file)}
    assert problems - told == set()
