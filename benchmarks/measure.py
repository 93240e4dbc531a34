"""Runs a command in a process of its own and says what it took; reads what each node of dbt took."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

PROJECT = Path(__file__).parents[1]
EVERY = 0.2  # seconds between two looks at what is held in memory and spilled

# The tables that all three make, and what those rest on ...
CORE_TIPS = ("features_rfm", "fit_rfm_cutoffs", "score_rfm", "score_cluster", "score_lifetime")
# ... and the models on the way from there to segments, migration and profiles. They carry everything else as
# well, so what they rest on is not counted, but they are, whole.
CORE_CARRIERS = (
    "latest_features",
    "segment_assignments",
    "segment_history",
    "segment_moves",
    "segment_migration",
    "customers",
    "segment_profiles",
)


class RunFailedError(RuntimeError):
    """A measured command failed; the message is the end of what it said."""


@dataclass(frozen=True)
class Run:
    """What a process took: seconds, bytes; load is the load average when it began.

    peak_memory: None where the system has no /proc.
    """

    wall: float
    cpu: float
    peak_memory: int | None
    spilled: int
    load: float
    output: str = ""

    def as_data(self) -> dict:
        """Return it without the output."""
        return {name: value for name, value in asdict(self).items() if name != "output"}


def measure(arguments: Iterable[str], spill: Path | None = None, **environment: str) -> Run:
    """Run Python with arguments and return what it took.

    spill: the folder below which DuckDB's temporary files lie; the most that they took is reported. Raises
    RunFailedError if the process fails.
    """
    load, begun = os.getloadavg()[0], time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": str(PROJECT / "src")} | environment,
    )
    said: dict[str, str] = {}
    readers = [
        threading.Thread(target=lambda name=name: said.update({name: getattr(process, name).read()}))
        for name in ("stdout", "stderr")
    ]
    ended, held, spilled = threading.Event(), [0], [0]

    def watch() -> None:
        while not ended.wait(EVERY):
            held.append(most_held(process.pid))
            spilled.append(spilled_below(spill) if spill else 0)

    watcher = threading.Thread(target=watch)
    for thread in (*readers, watcher):
        thread.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    ended.set()
    for thread in (*readers, watcher):
        thread.join()
    if process.returncode:
        lines = (said["stdout"] + said["stderr"]).strip().splitlines()
        raise RunFailedError("\n".join([f"exit {process.returncode}: {' '.join(arguments)}", *lines[-20:]]))
    cpu = usage.ru_utime + usage.ru_stime
    return Run(wall, cpu, max(held) or None, max(spilled), load, said["stdout"])


def most_held(process: int) -> int:
    """Return the most bytes that a process has held in memory since it began its program, 0 if not known.

    What wait4() says begins with what the parent held when it forked.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def spilled_below(folder: Path) -> int:
    """Return the bytes of DuckDB's temporary files below a folder."""
    total = 0
    for place, _, names in os.walk(folder):  # which passes over folders that are gone in the meantime
        for name in names:
            if name.startswith("duckdb_temp"):
                with suppress(OSError):
                    total += Path(place, name).stat().st_size
    return total


@dataclass(frozen=True)
class Node:
    """What a node of the build took.

    seconds: its own. share: its share of the time that passed, of which nodes that run at once have equal
    parts; so the shares of all nodes and the time in which none ran add up to the time of the build.
    """

    name: str
    kind: str
    seconds: float
    share: float


def nodes(target: Path) -> list[Node]:
    """Return what the nodes of the last build took that dbt wrote into a target folder."""
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    intervals = {}
    for result in results:
        times = [entry for entry in result["timing"] if entry["started_at"] and entry["completed_at"]]
        if times:
            begun = min(_seconds(entry["started_at"]) for entry in times)
            intervals[result["unique_id"]] = (begun, max(_seconds(entry["completed_at"]) for entry in times))
    shares = dict.fromkeys(intervals, 0.0)
    moments = sorted({moment for interval in intervals.values() for moment in interval})
    running: set[str] = set()
    begins, ends = {}, {}
    for name, (begun, ended) in intervals.items():
        begins.setdefault(begun, []).append(name)
        ends.setdefault(ended, []).append(name)
    for moment, following in pairwise(moments):
        running |= set(begins.get(moment, ()))
        running -= set(ends.get(moment, ()))
        for name in running:
            shares[name] += (following - moment) / len(running)
    return [
        Node(unique_id.split(".")[2], unique_id.split(".")[0], ended - begun, shares[unique_id])
        for unique_id, (begun, ended) in intervals.items()
    ]


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


def core_nodes(target: Path) -> tuple[set[str], set[str]]:
    """Return the names of the core models, and of all models that the core tables rest on.

    The second is what `dbt ls --select +segment_migration +segment_profiles ...` lists.
    """
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    parents = manifest["parent_map"]
    ids = {
        node["name"]: node_id for node_id, node in manifest["nodes"].items() if node_id.startswith("model.")
    }

    def ancestors(names: Iterable[str]) -> set[str]:
        waiting, found = [ids[name] for name in names], set()
        while waiting:
            node_id = waiting.pop()
            if node_id not in found:
                found.add(node_id)
                waiting += parents.get(node_id, [])
        return {manifest["nodes"][node_id]["name"] for node_id in found if node_id.startswith("model.")}

    return ancestors(CORE_TIPS) | set(CORE_CARRIERS), ancestors((*CORE_TIPS, *CORE_CARRIERS))
