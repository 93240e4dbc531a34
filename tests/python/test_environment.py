"""Plain dbt finds the project's profile from any folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from customer_segmentation import environment
from customer_segmentation.environment import PROJECT, point_dbt_to_profile


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    return tmp_path


def test_the_project_is_the_folder_with_the_profile():
    assert (PROJECT / "profiles.yml").is_file()


def test_elsewhere_the_profile_is_the_projects(elsewhere: Path):
    point_dbt_to_profile()
    assert os.environ["DBT_PROFILES_DIR"] == str(PROJECT)


def test_a_profile_in_the_working_directory_comes_first(elsewhere: Path):
    (elsewhere / "profiles.yml").touch()
    point_dbt_to_profile()
    assert "DBT_PROFILES_DIR" not in os.environ


def test_a_profile_that_the_user_names_comes_first(elsewhere: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DBT_PROFILES_DIR", "mine")
    point_dbt_to_profile()
    assert os.environ["DBT_PROFILES_DIR"] == "mine"


def test_another_dbt_project_has_a_profile_of_its_own(elsewhere: Path):
    (elsewhere / "dbt_project.yml").touch()
    point_dbt_to_profile()
    assert "DBT_PROFILES_DIR" not in os.environ


def test_a_package_outside_its_project_points_nowhere(elsewhere: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(environment, "PROJECT", elsewhere / "lib")
    point_dbt_to_profile()
    assert "DBT_PROFILES_DIR" not in os.environ


def test_every_python_of_the_environment_starts_with_it(elsewhere: Path):
    said = subprocess.run(
        [sys.executable, "-c", "import os; print(os.environ['DBT_PROFILES_DIR'])"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == str(PROJECT)
