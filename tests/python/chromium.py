"""Finds a Chrome or Chromium for the tests of pages, and gets one where there is none.

`make test` calls it before the tests. It ends well in either case, because without a browser only the tests
of pages are left out; in CI (the variable CI is set) it then fails.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
MINUTES = 3  # at most, for each command of a way to get one
NOT_TESTED = "NOT TESTED: pages in a browser. There is no Chrome or Chromium, and none could be installed."
WAYS = "Install one (Debian: apt install chromium fonts-noto-cjk) and run the tests again."


def is_ci() -> bool:
    """Return whether this is CI, where nothing may be left out."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def find() -> str | None:
    """Return the path of a Chrome or Chromium: one on the PATH, an application, or Playwright's own."""
    on_path = [path for name in NAMES if (path := shutil.which(name))]
    return next((path for path in [*on_path, *PLACES] if _starts(path)), None) or _of_playwright()


def _starts(path: str) -> bool:
    """Whether a browser is there and whole: without its libraries, or as a stub, it tells no version."""
    return Path(path).is_file() and _succeeds([path, "--version"])


def _of_playwright() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if _starts(path) else None


def ways() -> list[list[list[str]]]:
    """Return the ways to get one, each as its commands: Playwright's download and, for root, Debian's."""
    download = [[[sys.executable, "-m", "playwright", "install", "chromium"]]]
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return download
    install = ["apt-get", "install", "-qq", "--no-install-recommends", "chromium", "fonts-noto-cjk"]
    return [*download, [["apt-get", "update", "-qq"], install]]


def get() -> str | None:
    """Return the path of a Chrome or Chromium, after getting one where there is none; None if that fails."""
    if path := find():
        return path
    for commands in ways():
        print(f"Getting Chromium for the tests of pages: {' '.join(commands[-1][-3:])} ...", flush=True)
        if all(_succeeds(command) for command in commands) and (path := find()):
            return path
    return None


def _succeeds(command: list[str]) -> bool:
    silent = subprocess.DEVNULL
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        ended = subprocess.run(
            command, stdin=silent, stdout=silent, stderr=silent, env=environment, timeout=MINUTES * 60
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0


def main() -> int:
    """Get a browser; return 1 where there must be one and there is none."""
    if get():
        return 0
    print(f"{NOT_TESTED} {WAYS}", flush=True)
    return 1 if is_ci() else 0


if __name__ == "__main__":
    sys.exit(main())
