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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).parents[2]
READ = ("models", "macros", "seeds/reference", "seeds/demo", "src", "examples")
READ += ("dbt_project.yml", "profiles.yml", "requirements-dev.lock")
READ += ("tests/generic", "tests/marts", "tests/python/conftest.py", "tests/python/kept.py")
NOT_READ = (".duckdb", ".wal", ".pyc")
HOME = "SEGMENTATION_TESTS_HOME"  # set by the first who asks, so that all workers mean the same
STATES = 3  # that are kept, the latest ones
LONG = os.environ.get("LANE") == "long"


def examples(short: int, long: int) -> int:
    """Return how many examples are drawn in this lane."""
    return long if LONG else short


def home() -> Path:
    """Return the folder of what is built from the project as it stands."""
    if HOME not in os.environ:
        os.environ[HOME] = str(_home())
    return Path(os.environ[HOME])


def _home() -> Path:
    stated = hashlib.sha256(platform.python_version().encode())
    for path in _files():
        stated.update(f"{path.relative_to(PROJECT)}\n".encode())
        stated.update(path.read_bytes())
    folder = PROJECT / "build" / "tests" / stated.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    folder.touch()
    latest_first = sorted(folder.parent.iterdir(), key=lambda state: -state.stat().st_mtime)
    for old in latest_first[STATES:]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _files() -> Iterator[Path]:
    for name in READ:
        place = PROJECT / name
        assert place.exists(), name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix not in NOT_READ:
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
            words = json.dumps(build(folder))
            written = said.with_suffix(".part")
            written.write_text(words, encoding="utf-8")
            written.replace(said)
        return folder, json.loads(said.read_text(encoding="utf-8"))
