"""The browser for the tests of pages: found, got, or missed aloud."""

import subprocess
import sys
from pathlib import Path

import chromium
import pytest


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without a browser; returns the only folder on its PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(chromium, "PLACES", ())
    monkeypatch.setattr(chromium, "_of_playwright", lambda: None)
    monkeypatch.delenv("CI", raising=False)
    return tmp_path


def executable(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("name", chromium.NAMES)
def test_any_chrome_or_chromium_on_the_path_will_do(nowhere: Path, name: str):
    assert chromium.find() is None
    path = executable(nowhere / name, "exit 0")
    assert chromium.find() == chromium.get() == str(path)


def test_where_there_is_none_each_way_is_tried_until_one_brings_it(nowhere: Path, monkeypatch):
    fails = [[str(executable(nowhere / "fails", "exit 1"))]]
    does_nothing = [[str(executable(nowhere / "does_nothing", "exit 0"))]]
    brings = [[sys.executable, "-c", f"import os; os.symlink('{sys.executable}', '{nowhere}/chromium')"]]
    monkeypatch.setattr(chromium, "ways", lambda: [fails, [["no such command"]], does_nothing, brings])
    assert chromium.get() == str(nowhere / "chromium")


def test_playwright_is_asked_first_and_debian_only_as_root(nowhere: Path, monkeypatch):
    executable(nowhere / "apt-get", "exit 0")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert [way[-1][1:4] for way in chromium.ways()] == [["-m", "playwright", "install"]]
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert [way[-1][0] for way in chromium.ways()] == [sys.executable, "apt-get"]
    (nowhere / "apt-get").unlink()
    assert len(chromium.ways()) == 1


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("false", 0), ("true", 1)])
def test_without_one_that_is_said_and_in_ci_it_is_a_failure(
    nowhere: Path, monkeypatch, capsys, ci: str, code
):
    monkeypatch.setattr(chromium, "ways", lambda: [])
    monkeypatch.setenv("CI", ci)
    assert chromium.main() == code
    assert chromium.NOT_TESTED in capsys.readouterr().out


LEFT_OUT = """
def test_a_page(browser):
    assert False, "there is no browser"

def test_other():
    pass
"""


@pytest.mark.parametrize(
    ("ci", "code", "says"), [("", 0, "1 passed, 1 skipped"), ("1", 1, "1 passed, 1 error")]
)
def test_tests_that_need_one_are_left_out_with_a_loud_last_line_and_fail_in_ci(
    tmp_path: Path, ci: str, code: int, says: str
):
    (tmp_path / "test_pages.py").write_text(LEFT_OUT, encoding="utf-8")
    prepared = "import chromium, pytest; chromium.find = lambda: None; "
    plugin = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); {prepared}"
    run = (
        f"{plugin}sys.exit(pytest.main(['-p', 'browsers', '-p', 'no:cacheprovider', '--rootdir', '.', '.']))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", run],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"CI": ci, "PATH": "/usr/bin:/bin"},
    )
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert says in ended.stdout
    assert (ended.stdout.strip().splitlines()[-1].startswith("NOT TESTED")) == (not ci)
