"""What the two lanes share: builds that are kept, and how much of a test runs in which lane.

Builds are made once for all workers, and kept for later runs until a file of the project changes.

They stand in build/tests, in a folder named after a hash of all that a build reads.
"""

import fcntl
import hashlib
import json
import os
import platform
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
READ = ("models", "macros", "seeds", "snapshots", "src", "examples", "dbt_project.yml", "profiles.yml")
READ += ("tests/generic", "tests/marts", "tests/python/conftest.py")
NOT_READ = ("__pycache__", ".duckdb", ".pyc")
LONG = os.environ.get("LANE") == "long"
ENGINES = ("dbt-core", "dbt-duckdb", "duckdb", "numpy", "pandas", "scikit-learn", "scipy")


def some(cases: Iterable, short: int) -> list:
    """Return cases for parametrize, spread evenly: so many for both lanes, the others for the long one."""
    cases = list(cases)
    chosen = {round(number * (len(cases) - 1) / max(short - 1, 1)) for number in range(short)}
    return [
        case if number in chosen else pytest.param(case, marks=pytest.mark.long)
        for number, case in enumerate(cases)
    ]


def examples(short: int, long: int) -> int:
    """Return how many examples are drawn in this lane."""
    return long if LONG else short


@cache
def home() -> Path:
    """Return the folder of what is built from the project as it stands; those of other states go."""
    stated = hashlib.sha256(platform.python_version().encode())
    for package in ENGINES:
        stated.update(f"{package} {metadata.version(package)}\n".encode())
    for path in _files():
        stated.update(f"{path.relative_to(PROJECT)}\n".encode())
        stated.update(path.read_bytes())
    folder = PROJECT / "build" / "tests" / stated.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    for other in folder.parent.iterdir():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    return folder


def _files() -> Iterator[Path]:
    for name in READ:
        place = PROJECT / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and not any(part in str(path) for part in NOT_READ):
                yield path


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold a lock that all workers know."""
    with (home() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def once(name: str, build: Callable[[Path], dict]) -> tuple[Path, dict]:
    """Return the folder of what is built under a name, and what the builder said of it.

    The builder gets an empty folder and returns what JSON can hold. The first who asks calls it; one
    that fails leaves nothing.
    """
    folder = home() / name
    said = folder / "said.json"
    with locked(name):
        if not said.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            words = build(folder)
            said.write_text(json.dumps(words), encoding="utf-8")
        return folder, json.loads(said.read_text(encoding="utf-8"))
